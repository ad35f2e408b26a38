import QtQuick
import Lavascope

Item {
    required property Item row
    implicitHeight: 17
    Rectangle { y: 8; width: parent.width; height: Theme.lineWidth; color: Theme.line }
}
