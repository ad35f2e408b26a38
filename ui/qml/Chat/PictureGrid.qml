// Pictures of a question: one large, up to four in two columns, more as a strip that wraps.
import QtQuick

Flow {
    id: grid
    required property var pictures
    required property real most
    required property Highlight highlight
    signal wanted(int picture, int number)
    readonly property int count: pictures.length
    readonly property real tile: count <= 4 ? Math.min(176, (most - 8) / 2) : 110
    width: count === 1 ? single.width : Math.min(most, count <= 4 ? tile * 2 + 8 : tile * 3 + 16)
    spacing: 8
    QtObject {
        id: single
        readonly property var picture: grid.pictures[0] ?? ({ width: 1, height: 1 })
        readonly property real fit: Math.min(Math.min(360, grid.most) / Math.max(1, picture.width), 280 / Math.max(1, picture.height), 4)
        readonly property real width: Math.max(64, picture.width * fit)
        readonly property real height: Math.max(48, picture.height * fit)
    }
    Repeater {
        model: grid.pictures
        GroundedPicture {
            required property var modelData
            picture: modelData
            highlight: grid.highlight
            width: grid.count === 1 ? single.width : grid.tile
            height: grid.count === 1 ? single.height : grid.tile
            onWanted: number => grid.wanted(modelData.number, number)
        }
    }
}
