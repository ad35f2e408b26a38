// Indentation and quote bars shared by all blocks of an answer.
import QtQuick
import Lavascope

Item {
    id: frame
    required property Item row
    readonly property int quote: row.entry.quote ?? 0
    readonly property int indent: row.entry.indent ?? 0
    readonly property real inset: quote * 14 + indent * 22
    default property alias content: box.data
    property alias inner: box
    Repeater {
        model: frame.quote
        Rectangle {
            required property int index
            x: index * 14
            y: -frame.row.gap
            width: 3
            height: frame.height + frame.row.gap
            color: Theme.line
        }
    }
    Item {
        id: box
        x: frame.inset
        width: frame.width - x
        height: frame.height
    }
}
