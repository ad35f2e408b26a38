// A button with words: plain, outlined or accent.
import QtQuick
import Lavascope
import QtQuick.Templates as T

T.Button {
    id: control
    property string iconName: ""
    property bool accent: false
    property bool outlined: !accent
    property color ink: accent ? Theme.onAccent : Theme.text
    implicitHeight: Math.max(Theme.controlHeight, content.implicitHeight + 8)
    readonly property real aside: mark.visible ? mark.width + content.spacing : 0
    implicitWidth: Math.ceil(words.implicitWidth) + aside + 24
    hoverEnabled: true
    focusPolicy: Qt.TabFocus
    opacity: enabled ? 1 : 0.5
    Accessible.name: text
    contentItem: Item {
        Row {
            id: content
            anchors.centerIn: parent
            spacing: 6
            Icon {
                id: mark
                name: control.iconName
                visible: name !== ""
                color: control.ink
                size: 16
                anchors.verticalCenter: parent.verticalCenter
            }
            Text {
                id: words
                width: Math.min(Math.ceil(implicitWidth), Math.max(0, control.width - control.aside - 24))
                elide: Text.ElideRight
                text: control.text
                color: control.ink
                font.pixelSize: Theme.body
                font.weight: control.accent ? Font.DemiBold : Font.Normal
                anchors.verticalCenter: parent.verticalCenter
            }
        }
    }
    background: Rectangle {
        radius: 6
        color: control.accent ? (control.hovered ? Qt.lighter(Theme.accent, 1.08) : Theme.accent)
                              : control.down || control.hovered ? Theme.hover : "transparent"
        border.width: control.outlined ? Theme.lineWidth : 0
        border.color: Theme.control
        FocusRing { target: control }
    }
    HoverHandler { cursorShape: Qt.PointingHandCursor }
    Keys.onReturnPressed: clicked()
    Keys.onEnterPressed: clicked()
}
