// A table as a grid; the first row is the head. Wide tables scroll.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

BlockFrame {
    id: block
    readonly property int columns: Math.max(1, row.entry.columns ?? 1)
    readonly property real cell: Math.max(90, Math.min(260, Math.floor((width - inset - 2) / columns)))
    implicitHeight: flick.height
    Flickable {
        id: flick
        width: parent.width
        height: grid.implicitHeight + 2
        contentWidth: grid.implicitWidth + 2
        flickableDirection: Flickable.HorizontalFlick
        boundsBehavior: Flickable.StopAtBounds
        clip: true
        ScrollBar.horizontal: ThinScroll {}
        Rectangle { x: grid.implicitWidth; width: 1; height: grid.implicitHeight + 1; color: Theme.line; z: 1 }
        Rectangle { y: grid.implicitHeight; height: 1; width: grid.implicitWidth; color: Theme.line; z: 1 }
        Grid {
            id: grid
            columns: block.columns
            Repeater {
                model: block.row.entry.cells ?? []
                Rectangle {
                    id: box
                    required property int index
                    required property string modelData
                    readonly property bool head: index < block.columns
                    width: block.cell
                    height: rowHeight()
                    color: head ? Theme.card : "transparent"
                    Rectangle { width: parent.width + 1; height: 1; color: Theme.line }
                    Rectangle { width: 1; height: parent.height; color: Theme.line }
                    function rowHeight() {
                        let most = words.implicitHeight;
                        const first = index - index % block.columns;
                        for (let i = first; i < first + block.columns && i < grid.children.length; ++i)
                            if (grid.children[i].words) most = Math.max(most, grid.children[i].words.implicitHeight);
                        return most + 12;
                    }
                    property alias words: words
                    Text {
                        id: words
                        x: 8
                        y: 6
                        width: parent.width - 16
                        text: Theme.rich(box.modelData, Theme.accent, Theme.raised)
                        textFormat: Text.RichText
                        wrapMode: Text.Wrap
                        color: Theme.text
                        font.pixelSize: Theme.body
                        font.weight: box.head ? Font.DemiBold : Font.Normal
                    }
                }
            }
        }
    }
}
