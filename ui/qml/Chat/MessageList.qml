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
    ScrollBar.vertical: ThinScroll { onPressedChanged: pressed ? list.held = false : list.settle() }

    // Whoever was at the newest stays there whatever changes its size; whoever scrolled up keeps the row at the top where it is.
    property bool held: true
    property Item anchor: null
    property real anchor_at: 0
    onMovementStarted: held = false
    onMovementEnded: settle()
    onWidthChanged: Qt.callLater(stay)
    onHeightChanged: Qt.callLater(stay)
    onContentHeightChanged: Qt.callLater(stay)
    function settle() {
        forceLayout();
        held = at_newest;
        anchor = held ? null : itemAt(width / 2, contentY + 4);
        anchor_at = anchor ? anchor.y - contentY : 0;
    }
    function stay() {
        if (moving) return;
        forceLayout();
        if (held && !at_newest) positionViewAtBeginning();
        else if (!held && anchor && anchor.index >= 0) contentY = anchor.y - anchor_at;
        else if (!held) settle();  // that row is gone
    }
    // Not the animated wheel of a Flickable: rows that grow meanwhile would stop it.
    WheelHandler {
        acceptedDevices: PointerDevice.Mouse | PointerDevice.TouchPad
        target: null
        onWheel: event => list.scroll_by(event.pixelDelta.y !== 0 ? -event.pixelDelta.y : event.angleDelta.y * -0.8)
    }

    delegate: MessageRow {}

    function to_newest() {
        held = true;
        positionViewAtBeginning();
    }
    function scroll_by(way) {
        cancelFlick();
        forceLayout();
        if (contentHeight <= height) return;
        contentY = Math.max(originY, Math.min(contentY + way, originY + contentHeight - height));
        settle();
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
