// A grounded phrase: tinted ground and lower line in the colour of its label, one piece per line of text.
import QtQuick
import Lavascope

Item {
    id: mark
    objectName: "phrase"
    required property var phrase
    required property TextEdit edit
    required property Item under  // lies below the words: the tint does not dim them
    required property Item row
    readonly property color tint: Theme.label_color(phrase.label)
    readonly property Highlight highlight: row.list.highlight_state
    readonly property bool lit: highlight.message === row.message && phrase.boxes.some(n => highlight.boxes.includes(n))
    activeFocusOnTab: true
    anchors.fill: parent
    Accessible.role: Accessible.Link
    Accessible.name: qsTr("%1, shown in the picture as %2").arg(edit.length < phrase.start + phrase.length ? phrase.label : edit.getText(phrase.start, phrase.start + phrase.length)).arg(phrase.boxes.join(", "))
    Accessible.onPressAction: open()
    function open() { row.list.picture_wanted(phrase.picture, phrase.boxes[0]); }
    onActiveFocusChanged: activeFocus ? highlight.light(row.message, phrase.boxes) : highlight.clear()
    Keys.onReturnPressed: open()
    Keys.onSpacePressed: open()

    // [{x, y, width, height}]: asked anew whenever the text is laid out anew.
    function pieces(width, height, length) {
        const found = [];
        if (phrase.start + phrase.length > length) return found;
        for (let i = phrase.start; i < phrase.start + phrase.length; ++i) {
            const from = edit.positionToRectangle(i), to = edit.positionToRectangle(i + 1);
            const right = to.y === from.y ? to.x : edit.width;
            const last = found[found.length - 1];
            if (last && Math.abs(last.y - from.y) < 2) last.width = right - last.x;
            else found.push({ x: from.x, y: from.y, width: right - from.x, height: from.height });
        }
        return found;
    }

    readonly property var spots: pieces(edit.width, edit.contentHeight, edit.length)

    Repeater {
        parent: mark.under
        model: mark.spots
        Rectangle {
            required property var modelData
            x: modelData.x - 1
            y: modelData.y
            width: modelData.width + 2
            height: modelData.height
            radius: 2
            color: Theme.alpha(mark.tint, mark.lit ? 0.42 : 0.18)
            Rectangle {
                anchors.bottom: parent.bottom
                width: parent.width
                height: 2
                color: mark.tint
            }
        }
    }
    Repeater {
        model: mark.spots
        Rectangle {
            required property var modelData
            x: modelData.x - 2
            y: modelData.y - 1
            width: modelData.width + 4
            height: modelData.height + 2
            radius: 4
            color: "transparent"
            border.width: mark.activeFocus ? 2 : 0
            border.color: Theme.accent
            HoverHandler {
                cursorShape: Qt.PointingHandCursor
                onHoveredChanged: hovered ? mark.highlight.light(mark.row.message, mark.phrase.boxes) : mark.highlight.clear()
            }
            TapHandler { onTapped: mark.open() }
        }
    }
}
