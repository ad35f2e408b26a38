// On or off.
import QtQuick
import Lavascope
import QtQuick.Templates as T

T.Switch {
    id: control
    property string name: ""
    implicitWidth: 44
    implicitHeight: Theme.controlHeight
    hoverEnabled: true
    focusPolicy: Qt.TabFocus
    Accessible.name: name
    Keys.onReturnPressed: toggle_it()
    Keys.onEnterPressed: toggle_it()
    function toggle_it() { toggle(); toggled(); }
    indicator: Rectangle {
        width: 40
        height: 22
        x: 2
        anchors.verticalCenter: parent.verticalCenter
        radius: 11
        color: control.checked ? Theme.accent : control.hovered ? Theme.hover : "transparent"
        border.width: Math.max(1, Theme.lineWidth)
        border.color: control.checked ? Theme.accent : Theme.control
        Rectangle {
            x: control.checked ? parent.width - width - 4 : 4
            anchors.verticalCenter: parent.verticalCenter
            width: 14
            height: 14
            radius: 7
            color: control.checked ? Theme.onAccent : Theme.control
            Behavior on x { NumberAnimation { duration: Theme.fade } }
        }
        FocusRing { target: control; radius: 15 }
    }
}
