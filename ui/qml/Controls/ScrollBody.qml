// A column that scrolls, and keeps in sight what has the keyboard: with all of the `keepWhole` that it stands in.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

Flickable {
    id: view
    default property alias content: column.data
    property alias column: column
    readonly property Item focused: Window.activeFocusItem
    contentHeight: column.y + column.implicitHeight
    clip: true
    boundsBehavior: Flickable.StopAtBounds
    onFocusedChanged: if (focused) reveal(focused)
    function reveal(item) {
        let whole = item, holder = item;
        for (; holder && holder !== column; holder = holder.parent) {
            if (holder.keepWhole === true && holder.height <= height) whole = holder;
        }
        if (!holder) return;
        const top = column.y + whole.mapToItem(column, 0, 0).y;
        if (top < contentY) contentY = top;
        else if (top + whole.height > contentY + height) contentY = Math.min(top, top + whole.height - height);
    }
    Column {
        id: column
        width: view.width
    }
}
