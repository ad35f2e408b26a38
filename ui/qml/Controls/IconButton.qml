// A button with an icon only; its name is shown as a tip and read aloud.
import QtQuick
import Lavascope
import QtQuick.Templates as T

T.Button {
    id: control
    required property string iconName
    required property string tip
    property color ink: hovered || activeFocus ? Theme.text : Theme.muted
    property int iconSize: 20
    property bool compact: false
    property bool pressed_once: false  // the tip has done its work until the pointer comes again
    onPressed: pressed_once = true
    onHoveredChanged: if (!hovered) pressed_once = false
    property color ground: down || hovered ? Theme.hover : "transparent"
    property real radius: 6
    implicitWidth: compact ? 28 : 32
    implicitHeight: compact ? 28 : 32
    hoverEnabled: true
    focusPolicy: Qt.TabFocus
    opacity: enabled ? 1 : 0.4
    Accessible.name: tip
    contentItem: Item {
        Icon {
            anchors.centerIn: parent
            name: control.iconName
            color: control.ink
            size: control.iconSize
        }
    }
    background: Rectangle {
        radius: control.radius
        color: control.ground
        FocusRing {
            target: control
            radius: control.radius + 4
        }
    }
    Keys.onReturnPressed: clicked()
    Keys.onEnterPressed: clicked()
    Loader {
        active: control.hovered && control.tip !== ""
        sourceComponent: Tip {
            text: control.tip
            visible: control.hovered && !control.pressed_once
        }
    }
}
