// A bar of parts of a whole.
import QtQuick
import Lavascope

Rectangle {
    id: bar
    required property var parts  // with `bytes` each
    required property real whole
    required property var colors
    implicitHeight: 10
    radius: 5
    color: "transparent"
    border.width: Theme.lineWidth
    border.color: Theme.control
    Row {
        x: 2
        y: 2
        Repeater {
            model: bar.parts
            Rectangle {
                required property var modelData
                required property int index
                width: bar.whole > 0 ? (bar.width - 4) * modelData.bytes / bar.whole : 0
                height: bar.height - 4
                color: bar.colors[index % bar.colors.length]
            }
        }
    }
}
