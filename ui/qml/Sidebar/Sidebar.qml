// Chats at the left: new, search, groups by date, and the engine at the foot. `rail` shows icons only.
import QtQuick
import Lavascope

Rectangle {
    id: sidebar
    objectName: "sidebar"
    property bool rail: false
    signal toggled()
    signal chosen()
    signal settings_wanted(string group)  // empty: where they were
    function focus_search() { search.forceActiveFocus(); search.selectAll(); }
    function rename_current() { list.renaming = App.chat.chatId; }
    color: Theme.side

    Rectangle {
        anchors.right: parent.right
        width: Theme.lineWidth
        height: parent.height
        color: Theme.line
    }

    Column {
        id: top
        x: 12
        y: 8
        width: sidebar.width - 24
        spacing: 8
        Item {
            width: parent.width
            height: 32
            Row {
                visible: !sidebar.rail
                spacing: 8
                anchors.verticalCenter: parent.verticalCenter
                Icon { name: "mark"; color: Theme.accent; anchors.verticalCenter: parent.verticalCenter }
                Text {
                    text: "Lavascope"
                    color: Theme.text
                    font.pixelSize: Theme.body
                    font.weight: Font.DemiBold
                    anchors.verticalCenter: parent.verticalCenter
                }
            }
            IconButton {
                anchors.right: parent.right
                iconName: "sidebar"
                tip: sidebar.rail ? qsTr("Show chats (Ctrl+B)") : qsTr("Hide chats (Ctrl+B)")
                onClicked: sidebar.toggled()
            }
        }
        SideButton {
            width: parent.width
            rail: sidebar.rail
            iconName: "plus"
            text: qsTr("New chat")
            keys: "Ctrl+N"
            onClicked: {
                App.chat.new_chat();
                sidebar.chosen();
            }
        }
        SideButton {
            width: parent.width
            visible: sidebar.rail
            rail: true
            iconName: "search"
            text: qsTr("Search chats")
            onClicked: {
                sidebar.toggled();
                sidebar.focus_search();
            }
        }
        Field {
            id: search
            objectName: "chat_search"
            width: parent.width
            visible: !sidebar.rail
            iconName: "search"
            placeholderText: qsTr("Search chats")
            onTextChanged: App.chat.chats.search = text
            Keys.onEscapePressed: event => { event.accepted = text !== ""; clear(); }
            Keys.onDownPressed: list.forceActiveFocus()
        }
    }

    ChatRows {
        id: list
        visible: !sidebar.rail
        anchors { left: parent.left; right: parent.right; top: top.bottom; bottom: foot.top; topMargin: 8 }
        searching: search.text !== ""
        onChosen: sidebar.chosen()
    }

    Item {
        id: foot
        anchors { left: parent.left; right: parent.right; bottom: parent.bottom; margins: 8 }
        height: sidebar.rail ? pill.height + gear.height + 8 : pill.height
        EnginePill {
            id: pill
            rail: sidebar.rail
            width: sidebar.rail ? parent.width : parent.width - gear.width - 4
            anchors.bottom: parent.bottom
            onSettings_wanted: sidebar.settings_wanted("engine")
        }
        IconButton {
            id: gear
            objectName: "gear"
            anchors.right: parent.right
            y: sidebar.rail ? 0 : (parent.height - height) / 2
            anchors.rightMargin: sidebar.rail ? (parent.width - width) / 2 : 0
            width: 36
            height: 36
            iconName: "gear"
            tip: qsTr("Settings (Ctrl+,)")
            onClicked: sidebar.settings_wanted("")
        }
    }
}
