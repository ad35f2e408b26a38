// What the model takes: a bar of its parts, of the device's memory where that is known, and their names.
import QtQuick
import Lavascope

Column {
    id: memory
    readonly property var colors: [Theme.label_color("weights"), Theme.label_color("kv"), Theme.muted]
    readonly property real whole: Math.max(App.engine.memoryUsed, App.engine.deviceMemory)
    function amount(bytes) { return bytes < 1e9 ? qsTr("%1 MB").arg(Math.round(bytes / 1e6)) : qsTr("%1 GB").arg((bytes / 1e9).toFixed(1)); }
    spacing: 4

    Text {
        objectName: "memory_line"
        width: parent.width
        text: App.engine.deviceMemory > 0 ? qsTr("Memory: up to %1 of %2").arg(memory.amount(App.engine.memoryUsed)).arg(memory.amount(App.engine.deviceMemory))
                                          : qsTr("Memory: up to %1").arg(memory.amount(App.engine.memoryUsed))
        color: Theme.muted
        font.pixelSize: Theme.caption
        wrapMode: Text.Wrap
    }
    StackBar {
        width: parent.width
        parts: App.engine.memory
        whole: memory.whole
        colors: memory.colors
    }
    Repeater {
        model: App.engine.memory
        Item {
            id: part
            required property var modelData
            required property int index
            width: memory.width
            height: Math.max(name.implicitHeight, amount.implicitHeight)
            Rectangle { y: 4; width: 8; height: 8; radius: 2; color: memory.colors[part.index % 3] }
            Text {
                id: name
                x: 16
                width: parent.width - x - amount.implicitWidth - 8
                text: part.modelData.name
                color: Theme.text
                font.pixelSize: Theme.caption
                wrapMode: Text.Wrap
            }
            Text {
                id: amount
                anchors.right: parent.right
                text: part.modelData.text
                color: Theme.text
                font.pixelSize: Theme.caption
            }
        }
    }
}
