// A device in the list of what can compute: a radio button of two lines.
import QtQuick
import Lavascope
import QtQuick.Templates as T

T.RadioButton {
    id: row
    checkable: false  // the engine says which one is current
    autoExclusive: false
    required property var modelData
    readonly property bool current: App.engine.deviceChoice === modelData.choice
    text: modelData.name
    objectName: "device_row"
    hoverEnabled: true
    focusPolicy: current ? Qt.TabFocus : Qt.NoFocus  // one stop of Tab for the list; arrows walk in it
    implicitHeight: Math.max(Theme.controlHeight + 8, words.implicitHeight + 12)
    Accessible.role: Accessible.RadioButton
    Accessible.name: [modelData.name, modelData.detail].filter(t => t !== "").join(", ")
    Accessible.checkable: true
    Accessible.checked: current
    Accessible.onPressAction: clicked()
    Keys.onReturnPressed: clicked()
    Keys.onEnterPressed: clicked()
    contentItem: Item {
        Rectangle {
            id: ring
            x: 8
            y: name.y + words.y + (nameMetrics.height - height) / 2
            width: 16
            height: 16
            radius: 8
            color: "transparent"
            border.width: row.current ? 2 : Math.max(1, Theme.lineWidth)
            border.color: row.current ? Theme.accent : Theme.control
            Rectangle {
                anchors.centerIn: parent
                visible: row.current
                width: 8
                height: 8
                radius: 4
                color: Theme.accent
            }
        }
        FontMetrics { id: nameMetrics; font: name.font }
        Column {
            id: words
            x: 34
            width: parent.width - 42
            anchors.verticalCenter: parent.verticalCenter
            Text {
                id: name
                width: parent.width
                text: row.modelData.name
                textFormat: Text.PlainText
                color: Theme.text
                font.pixelSize: Theme.body
                wrapMode: Text.Wrap
            }
            Text {
                width: parent.width
                visible: text !== ""
                text: row.modelData.detail
                textFormat: Text.PlainText
                color: Theme.muted
                font.pixelSize: Theme.caption
                wrapMode: Text.Wrap
            }
        }
    }
    background: Rectangle {
        radius: 6
        color: row.down || row.hovered ? Theme.hover : "transparent"
        FocusRing { target: row; anchors.margins: 0; radius: 6 }
    }
}
