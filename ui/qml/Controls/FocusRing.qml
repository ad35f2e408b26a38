// The ring around what has the keyboard: 2 px accent, 2 px gap.
import QtQuick
import Lavascope

Rectangle {
    required property Item target
    anchors.fill: parent
    anchors.margins: -4
    color: "transparent"
    radius: 10
    border.width: 2
    border.color: Theme.accent
    visible: target.activeFocus && (target.visualFocus === undefined || target.visualFocus)
    z: 10
}
