// A paragraph, heading or list item; grounded phrases are drawn over it and answer to pointer and Tab.
import QtQuick
import Lavascope

BlockFrame {
    id: block
    readonly property int level: row.entry.level ?? 0
    readonly property var phrases: row.entry.phrases ?? []
    implicitHeight: words.implicitHeight

    Text {
        x: -22
        width: 18
        horizontalAlignment: Text.AlignRight
        text: block.row.entry.marker ?? ""
        visible: text !== ""
        color: Theme.muted
        font.pixelSize: Theme.message
    }
    Item { id: under_words; anchors.fill: parent }
    TextEdit {
        id: words
        objectName: "answer_text"
        width: parent.width
        text: Theme.rich(block.row.entry.html ?? "", Theme.accent, Theme.raised)
        textFormat: TextEdit.RichText
        wrapMode: TextEdit.Wrap
        readOnly: true
        selectByMouse: true
        activeFocusOnPress: true
        activeFocusOnTab: false
        color: Theme.text
        selectionColor: Theme.accent
        selectedTextColor: Theme.onAccent
        font.pixelSize: block.level === 0 ? Theme.message : block.level === 1 ? Theme.section + 2 : block.level === 2 ? Theme.section : Theme.message
        font.weight: block.level > 0 ? Font.DemiBold : Font.Normal
        Accessible.role: block.level > 0 ? Accessible.Heading : Accessible.Paragraph
        Accessible.name: block.row.entry.text ?? ""
        Keys.onEscapePressed: event => { deselect(); event.accepted = false; }
        onLinkActivated: link => { ask.active = true; ask.item.ask(link); }
        HoverHandler { id: pointer; cursorShape: words.hoveredLink !== "" ? Qt.PointingHandCursor : Qt.IBeamCursor }
        Loader {
            x: pointer.point.position.x
            y: pointer.point.position.y
            active: words.hoveredLink !== ""
            sourceComponent: Tip { visible: true; text: Desktop.host_of(words.hoveredLink); delay: 200 }
        }
    }
    Repeater {
        model: block.phrases
        PhraseMark {
            required property var modelData
            parent: block.inner
            phrase: modelData
            edit: words
            under: under_words
            row: block.row
        }
    }
    Loader {
        id: ask
        active: false
        sourceComponent: LinkQuestion {}
    }
}
