// The list of chats in groups.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

ListView {
    id: list
    property bool searching: false
    property real renaming: 0
    signal chosen()
    model: App.chat.chats
    clip: true
    activeFocusOnTab: true
    keyNavigationEnabled: true
    boundsBehavior: Flickable.StopAtBounds
    currentIndex: -1
    highlightMoveDuration: 0
    Accessible.role: Accessible.List
    Accessible.name: qsTr("Chats")
    onActiveFocusChanged: if (activeFocus && currentIndex < 0 && renaming === 0) currentIndex = 0
    ScrollBar.vertical: ThinScroll {}

    // The name of a group stands above its first row.
    delegate: Item {
        id: line
        required property int index
        required property string header
        required property var chatId
        required property string title
        required property bool pinned
        required property string thumbnail
        required property string chatState
        width: list.width
        height: row.y + row.height
        Text {
            id: group
            width: list.width
            height: implicitHeight + 14
            visible: line.header !== ""
            leftPadding: 18
            bottomPadding: 4
            verticalAlignment: Text.AlignBottom
            text: line.header
            color: Theme.faint
            font.pixelSize: Theme.caption
            font.weight: Font.Medium
        }
        ChatRow {
            id: row
            y: group.visible ? group.height : 0
            width: list.width
            chatId: line.chatId
            title: line.title
            pinned: line.pinned
            thumbnail: line.thumbnail
            chatState: line.chatState
            focus: true
            keyboard: list.activeFocus && list.renaming === 0 && line.ListView.isCurrentItem
            current: chatId === App.chat.chatId
            editing: list.renaming !== 0 && list.renaming === chatId
            onPicked: {
                App.chat.open_chat(chatId);
                list.chosen();
            }
            onRename_asked: list.renaming = chatId
            onRename_done: {
                if (list.renaming === 0) return;
                const had_keys = list.activeFocus;  // else something else was clicked
                list.renaming = 0;
                list.currentIndex = line.index;
                if (had_keys) list.forceActiveFocus();
            }
        }
        Keys.forwardTo: [row]
    }

    Text {
        visible: list.count === 0
        x: 18
        y: 12
        width: list.width - 36
        wrapMode: Text.Wrap
        text: list.searching ? qsTr("No chat has these words.") : qsTr("Your chats will be listed here.")
        color: Theme.faint
        font.pixelSize: Theme.caption
    }
}
