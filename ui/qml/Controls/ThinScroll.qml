import QtQuick
import Lavascope
import QtQuick.Templates as T

T.ScrollBar {
    id: bar
    implicitWidth: 10
    implicitHeight: 10
    padding: 2
    minimumSize: 0.05
    visible: size < 1
    contentItem: Rectangle {
        implicitWidth: 6
        implicitHeight: 6
        radius: 3
        color: bar.pressed ? Theme.muted : Theme.control
        opacity: bar.active || bar.hovered ? 0.8 : 0.35
    }
}
