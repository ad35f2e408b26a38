// What is going on until the answer is complete, in words and, where it is known, how far.
import QtQuick
import Lavascope

Item {
    id: phase
    required property Item row
    readonly property real fraction: row.entry.fraction ?? -1
    implicitHeight: Math.max(32, words.implicitHeight + 12)
    Accessible.role: Accessible.ProgressBar
    Accessible.name: words.text
    Text {
        id: words
        y: 6
        text: phase.row.entry.text ?? ""
        color: Theme.muted
        font.pixelSize: Theme.caption
    }
    Rectangle {
        id: bar
        anchors.left: words.right
        anchors.leftMargin: 12
        anchors.verticalCenter: words.verticalCenter
        width: Math.min(220, phase.width - words.width - 24)
        height: 4
        radius: 2
        visible: phase.fraction >= 0
        color: Theme.line
        Rectangle {
            width: parent.width * Math.max(0, Math.min(1, phase.fraction))
            height: parent.height
            radius: 2
            color: Theme.accent
        }
    }
    Row {
        visible: phase.fraction < 0 && !Theme.reducedMotion
        anchors.left: words.right
        anchors.leftMargin: 8
        anchors.verticalCenter: words.verticalCenter
        spacing: 3
        Repeater {
            model: 3
            Rectangle {
                id: dot
                required property int index
                width: 4
                height: 4
                radius: 2
                color: Theme.muted
                SequentialAnimation on opacity {
                    loops: Animation.Infinite
                    running: phase.fraction < 0 && phase.visible
                    PauseAnimation { duration: dot.index * 160 }
                    NumberAnimation { from: 0.25; to: 1; duration: 300 }
                    NumberAnimation { from: 1; to: 0.25; duration: 300 }
                    PauseAnimation { duration: (2 - dot.index) * 160 }
                }
            }
        }
    }
}
