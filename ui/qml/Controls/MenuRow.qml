import QtQuick
import Lavascope
import QtQuick.Templates as T

T.MenuItem {
    id: row
    property string iconName: ""
    property string keys: ""
    property color ink: Theme.text
    implicitWidth: 208
    implicitHeight: visible ? Theme.controlHeight + 2 : 0
    leftPadding: 10
    rightPadding: 10
    hoverEnabled: true
    Accessible.name: text
    contentItem: Item {
        Icon {
            id: mark
            name: row.checkable ? (row.checked ? "check" : "") : row.iconName
            size: 16
            color: row.ink
            anchors.verticalCenter: parent.verticalCenter
        }
        Text {
            x: 26
            width: parent.width - 26 - hint.implicitWidth
            anchors.verticalCenter: parent.verticalCenter
            text: row.text
            color: row.ink
            font.pixelSize: Theme.body
            elide: Text.ElideRight
        }
        Text {
            id: hint
            anchors.right: parent.right
            anchors.verticalCenter: parent.verticalCenter
            text: row.keys
            color: Theme.faint
            font.pixelSize: Theme.caption
        }
    }
    background: Rectangle {
        radius: 6
        color: row.highlighted || row.hovered ? Theme.hover : "transparent"
    }
}
