// Examples with bundled pictures, two by two.
import QtQuick
import Lavascope

Item {
    id: cards
    implicitHeight: grid.implicitHeight
    Grid {
        id: grid
        anchors.horizontalCenter: parent.horizontalCenter
        readonly property bool single: cards.width < 420 || Theme.textScale > 1.6 && cards.width < 640
        readonly property real tile: Math.min(260 * Math.max(1, Theme.textScale * 0.8), single ? cards.width : (cards.width - 12) / 2)
        columns: single ? 1 : 2
        spacing: 12
        Repeater {
            model: Desktop.examples()
            ExampleCard {
                required property int index
                required property var modelData
                width: grid.tile
                title: modelData.title
                hint: modelData.hint
                iconName: ["image", "find", "palette", "question"][index % 4]
                onClicked: App.chat.try_example(modelData.picture, modelData.question)
            }
        }
    }
}
