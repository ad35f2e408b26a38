// What the engine says of itself, and how to start it again.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

Popup {
    id: pop
    required property string line
    required property color lamp
    readonly property bool failed: App.engine.state === "failed"
    y: -height - 8
    width: 300
    padding: 16
    modal: false
    onAboutToShow: App.engine.find_devices()
    focus: true
    height: Math.min(implicitHeight, 460)
    background: Rectangle {
        radius: 12
        color: Theme.raised
        border.width: Theme.lineWidth
        border.color: Theme.line
    }
    contentItem: Column {
        spacing: 8
        Row {
            spacing: 8
            Rectangle { width: 10; height: 10; radius: 5; color: pop.lamp; anchors.verticalCenter: parent.verticalCenter }
            Text { text: pop.line; color: Theme.text; font.pixelSize: Theme.body; font.weight: Font.DemiBold }
        }
        Text {
            visible: pop.failed
            width: parent.width
            text: App.engine.errorWhat + "."
            color: Theme.text
            wrapMode: Text.Wrap
            font.pixelSize: Theme.body
        }
        Flickable {
            width: parent.width
            height: Math.min(contentHeight, 260)
            contentHeight: facts.implicitHeight
            clip: true
            visible: !pop.failed
            ScrollBar.vertical: ThinScroll {}
            Column {
                id: facts
                width: parent.width
                spacing: 4
                Repeater {
                    model: App.engine.facts
                    Item {
                        required property string modelData
                        width: facts.width
                        height: Math.max(key.implicitHeight, value.implicitHeight)
                        Text { id: key; text: parent.modelData.split("\t")[0]; color: Theme.muted; font.pixelSize: Theme.caption }
                        Text {
                            id: value
                            x: 120
                            width: parent.width - 130
                            text: parent.modelData.split("\t")[1]
                            textFormat: Text.PlainText
                            color: Theme.text
                            font.pixelSize: Theme.caption
                            wrapMode: Text.WrapAnywhere
                        }
                    }
                }
            }
        }
        Column {
            id: choices
            objectName: "deviceChoices"
            visible: App.engine.devices.length > 2
            width: parent.width
            Text { text: qsTr("Computes on"); color: Theme.muted; font.pixelSize: Theme.caption; bottomPadding: 4 }
            Repeater {
                model: App.engine.devices
                MenuRow {
                    required property var modelData
                    width: choices.width
                    text: modelData.name
                    checkable: true
                    checked: App.engine.deviceChoice === modelData.choice
                    Accessible.role: Accessible.RadioButton
                    onTriggered: { App.engine.use_device(modelData.choice); pop.close(); }
                }
            }
        }
        ActionButton {
            text: qsTr("Restart engine")
            iconName: "refresh"
            accent: pop.failed
            onClicked: { App.engine.restart(); pop.close(); }
        }
    }
}
