// Radio buttons below each other, for `rows` of choice, name and detail.
import QtQuick
import Lavascope

Column {
    id: list
    required property string name
    required property var rows
    required property string current
    property string rowName: "choice_row"
    property bool titled: true
    property var at: null  // the choice whose row had the keyboard last
    property bool ringed: false
    readonly property string stop: rows.length === 0 || rows.some(row => row.choice === current) ? current : rows[0].choice
    signal chosen(string choice)
    Accessible.role: Accessible.Grouping
    Accessible.name: name

    function focus_current(reason) { at = stop; focus_at(reason); }
    function focus_again() { focus_at(ringed ? Qt.TabFocusReason : Qt.PopupFocusReason); }
    function focus_at(reason) {
        for (let i = 0; i < items.count; ++i) {
            if (items.itemAt(i)?.entry.choice === at) return items.itemAt(i).forceActiveFocus(reason);
        }
    }
    function step(from, by) {
        const row = items.itemAt(from + by);
        if (row) row.forceActiveFocus(Qt.TabFocusReason);
    }
    // Rows come, go and move under the keyboard: it stays with its choice. Of a row that is gone it falls to what holds the list.
    function refocus() {
        if (at === null || !visible) return;
        const focused = list.Window.activeFocusItem;
        for (let holder = list.parent; holder; holder = holder.parent) {
            if (holder === focused) return focus_again();
        }
        if (focused?.parent === list && focused.entry !== undefined && focused.entry.choice !== at) focus_again();
    }
    onRowsChanged: Qt.callLater(refocus)

    Text {
        visible: list.titled
        text: list.name
        color: Theme.muted
        font.pixelSize: Theme.caption
        bottomPadding: 4
    }
    Repeater {
        id: items
        model: list.rows.length  // the rows stay when only what they say changes
        ChoiceRow {
            required property int index
            objectName: list.rowName
            width: list.width
            entry: list.rows[index] ?? ({ choice: "", name: "", detail: "" })
            current: list.current === entry.choice
            stop: list.stop === entry.choice
            onClicked: {
                list.at = entry.choice;
                list.chosen(entry.choice);
            }
            onActiveFocusChanged: {
                if (!activeFocus) return;
                list.at = entry.choice;
                list.ringed = visualFocus;
            }
            Keys.onUpPressed: list.step(index, -1)
            Keys.onDownPressed: list.step(index, 1)
        }
    }
}
