// Rows of the transcript, newest at the bottom. Stays at the bottom while there, and where the reader scrolled to otherwise.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

ListView {
    id: list
    objectName: "messages"
    required property real column
    readonly property Highlight highlight_state: Highlight {}
    property var hovered_message: 0
    signal picture_wanted(int picture, int number)
    signal toast(string text)
    readonly property bool at_newest: atYEnd || contentHeight <= height
    model: App.chat.transcript
    verticalLayoutDirection: ListView.BottomToTop
    boundsBehavior: Flickable.StopAtBounds
    clip: true
    cacheBuffer: 600
    reuseItems: false
    pixelAligned: true
    header: Item { width: 1; height: 16 }
    footer: Item { width: 1; height: 16 }
    Accessible.role: Accessible.List
    Accessible.name: qsTr("Messages")
    ScrollBar.vertical: ThinScroll { onPressedChanged: list.held = !pressed && list.at_newest }

    // Whoever was at the newest stays there when the window or a picture changes its size.
    property bool held: true
    onMovementStarted: held = false
    onMovementEnded: held = at_newest
    onWidthChanged: stay()
    onHeightChanged: stay()
    onContentHeightChanged: stay()
    function stay() { if (held) Qt.callLater(return_to_newest); }
    function return_to_newest() { if (held && !at_newest) positionViewAtBeginning(); }

    delegate: MessageRow {}

    function to_newest() {
        held = true;
        positionViewAtBeginning();
    }
    function scroll_by(way) {
        cancelFlick();
        contentY = Math.max(originY, Math.min(contentY + way, originY + contentHeight - height));
        held = at_newest;
    }
    // What Tab reached may lie outside; a text that was clicked never moves.
    function reveal(item) {
        if (!item || !item.activeFocusOnTab) return;
        let above = item.parent;
        while (above && above !== contentItem) above = above.parent;
        if (!above) return;
        const spot = item.spots?.[0] ?? { y: 0, height: item.height };
        const y = item.mapToItem(list, 0, spot.y).y;
        if (y < 8) scroll_by(y - 8);
        else if (y + spot.height > height - 8) scroll_by(y + spot.height - height + 8);
    }
    Connections {
        target: list.Window.window
        function onActiveFocusItemChanged() { list.reveal(list.Window.activeFocusItem); }
    }
    Connections {
        target: App.chat
        function onOpened() { list.to_newest(); }
        function onBusy_changed() { if (App.chat.busy) list.to_newest(); }
    }

    Rectangle {
        parent: list
        visible: !list.at_newest
        anchors.horizontalCenter: parent.horizontalCenter
        anchors.bottom: parent.bottom
        anchors.bottomMargin: 8
        width: pill.implicitWidth
        height: pill.implicitHeight
        radius: height / 2
        color: Theme.raised
        border.width: Theme.lineWidth
        border.color: Theme.line
        ActionButton {
            id: pill
            text: qsTr("Jump to newest")
            iconName: "arrow-down"
            outlined: false
            onClicked: list.to_newest()
        }
    }
}
