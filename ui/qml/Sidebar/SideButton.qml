// A row of the sidebar with icon, words and key hint.
import QtQuick
import Lavascope
import QtQuick.Templates as T

T.Button {
    id: control
    required property string iconName
    property bool rail: false
    property string keys: ""
    implicitHeight: Math.max(36, Theme.controlHeight + 4)
    hoverEnabled: true
    focusPolicy: Qt.TabFocus
    Accessible.name: text
    contentItem: Item {
        Icon {
            id: mark
            x: control.rail ? (parent.width - width) / 2 : 6
            anchors.verticalCenter: parent.verticalCenter
            name: control.iconName
            size: 18
        }
        Text {
            visible: !control.rail
            x: mark.x + mark.width + 10
            width: parent.width - x - hint.width - 8
            anchors.verticalCenter: parent.verticalCenter
            text: control.text
            color: Theme.text
            font.pixelSize: Theme.body
            elide: Text.ElideRight
        }
        Text {
            id: hint
            visible: !control.rail
            anchors.right: parent.right
            anchors.rightMargin: 8
            anchors.verticalCenter: parent.verticalCenter
            text: control.keys
            color: Theme.faint
            font.pixelSize: Theme.caption
        }
    }
    background: Rectangle {
        radius: 6
        color: control.down || control.hovered ? Theme.hover : Theme.card
        border.width: Theme.lineWidth
        border.color: Theme.line
        FocusRing { target: control }
    }
    Keys.onReturnPressed: clicked()
    Loader {
        active: control.rail && control.hovered
        sourceComponent: Tip {
            text: control.text
            visible: control.hovered
        }
    }
}
