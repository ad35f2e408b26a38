// One row of the transcript; its kind says which file draws it.
import QtQuick

Item {
    id: row
    required property int index
    required property string kind
    required property var message
    required property var entry
    required property ListView list
    readonly property bool hovered: hover.hovered
    readonly property real gap: kind === "user" ? (entry.first ? 0 : 24) : kind === "head" ? 24 : kind === "footer" || kind === "phase" ? 4 : 8
    width: ListView.view ? ListView.view.width : 0
    height: (content.item ? content.item.implicitHeight : 0) + gap

    function load() {
        const files = { user: "UserRow.qml", head: "AnswerHead.qml", text: "TextBlock.qml", code: "CodeBlock.qml", table: "TableBlock.qml",
                        rule: "RuleBlock.qml", phase: "PhaseRow.qml", error: "ErrorCard.qml", footer: "AnswerFooter.qml" };
        content.setSource(files[kind], { row: row });
    }
    Component.onCompleted: load()
    onKindChanged: load()

    Loader {
        id: content
        y: row.gap
        width: row.list.column
        x: (row.width - width) / 2
    }
    HoverHandler {
        id: hover
        onHoveredChanged: if (hovered) row.list.hovered_message = row.message
    }
}
