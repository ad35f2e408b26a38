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
    ScrollBar.vertical: ThinScroll {}

    delegate: MessageRow {}

    function to_newest() { positionViewAtBeginning(); }
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
