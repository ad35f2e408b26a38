// One row of the transcript; its kind says which file draws it.
import QtQuick

Item {
    id: row
    required property int index
    required property string kind
    required property var message
    required property var entry
    readonly property ListView list: ListView.view
    readonly property bool hovered: hover.hovered
    // Rows of actions, 32 px and empty until pointed at, are part of the 24 px between turns.
    readonly property real gap: kind === "user" ? (entry.first ? 0 : 8) : kind === "head" ? 0 : kind === "footer" || kind === "phase" ? 4
                                : kind === "text" ? (entry.marker ? 4 : entry.level ? 16 : 10) : 12
    width: list ? list.width : 0
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
        width: row.list ? row.list.column : 0
        x: (row.width - width) / 2
    }
    HoverHandler {
        id: hover
        onHoveredChanged: if (hovered) row.list.hovered_message = row.message
    }
}
