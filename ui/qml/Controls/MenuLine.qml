import QtQuick
import Lavascope
import QtQuick.Templates as T

T.MenuSeparator {
    implicitHeight: 9
    implicitWidth: 200
    contentItem: Item {
        Rectangle {
            width: parent.width
            height: Theme.lineWidth
            y: 4
            color: Theme.line
        }
    }
}
