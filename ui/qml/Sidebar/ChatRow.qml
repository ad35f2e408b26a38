// One chat: thumbnail or state dot, title, and a menu on hover.
import QtQuick
import Lavascope

Item {
    id: row
    required property var chatId
    required property string title
    required property bool pinned
    required property string thumbnail
    required property string chatState
    property bool current: false
    property bool keyboard: false
    property bool editing: false
    signal picked()
    signal rename_asked()
    signal rename_done()
    implicitHeight: Math.max(36, Theme.controlHeight + 4)
    Accessible.role: Accessible.ListItem
    Accessible.name: title + (chatState === "generating" ? qsTr(", writing") : chatState === "error" ? qsTr(", failed") : "")
    Accessible.onPressAction: picked()

    function open_menu() { menuLoader.active = true; menuLoader.item.popup(); }
    Keys.onReturnPressed: picked()
    Keys.onMenuPressed: open_menu()
    Keys.onShortcutOverride: event => event.accepted = event.key === Qt.Key_F2
    Keys.onPressed: event => {
        if (event.key === Qt.Key_F2) row.rename_asked();
        else if (event.key === Qt.Key_Delete) App.chat.remove(row.chatId);
        else return;
        event.accepted = true;
    }

    Rectangle {
        anchors.fill: parent
        anchors.leftMargin: 8
        anchors.rightMargin: 8
        radius: 6
        color: row.current ? Theme.raised : hover.hovered ? Theme.hover : "transparent"
        border.width: row.keyboard ? 2 : row.current ? Theme.lineWidth : 0
        border.color: row.keyboard ? Theme.accent : Theme.line
    }
    Rectangle {
        id: dot
        x: 18
        anchors.verticalCenter: parent.verticalCenter
        width: 8
        height: 8
        radius: row.chatState === "error" ? 1 : 4
        visible: row.chatState !== ""
        color: row.chatState === "error" ? Theme.error : Theme.accent
        SequentialAnimation on opacity {
            running: row.chatState === "generating" && !Theme.reducedMotion
            loops: Animation.Infinite
            NumberAnimation { from: 1; to: 0.35; duration: 600 }
            NumberAnimation { from: 0.35; to: 1; duration: 600 }
            onStopped: dot.opacity = 1
        }
    }
    Image {
        id: thumb
        x: 14
        width: 16
        height: 16
        anchors.verticalCenter: parent.verticalCenter
        visible: row.thumbnail !== "" && !dot.visible
        source: row.thumbnail === "" ? "" : "image://media/" + row.thumbnail
        sourceSize: Qt.size(48, 48)
        fillMode: Image.PreserveAspectCrop
        Accessible.ignored: true
    }
    Text {
        id: name
        x: thumb.visible || dot.visible ? 38 : 18
        width: row.width - x - (more.visible ? 46 : 20)
        anchors.verticalCenter: parent.verticalCenter
        visible: !row.editing
        text: row.title
        textFormat: Text.PlainText
        color: Theme.text
        font.pixelSize: Theme.body
        elide: Text.ElideRight
        maximumLineCount: 1
    }
    TapHandler { onTapped: row.picked() }
    TapHandler { acceptedButtons: Qt.RightButton; onTapped: row.open_menu() }
    HoverHandler { id: hover }
    IconButton {
        id: more
        anchors.right: parent.right
        anchors.rightMargin: 12
        anchors.verticalCenter: parent.verticalCenter
        visible: !row.editing && (hover.hovered || activeFocus || row.keyboard)
        compact: true
        iconName: "more"
        tip: qsTr("More")
        onClicked: row.open_menu()
    }
    Loader {
        anchors.fill: parent
        anchors.margins: 2
        anchors.leftMargin: 10
        anchors.rightMargin: 10
        active: row.editing
        onLoaded: { item.forceActiveFocus(); item.selectAll(); }
        sourceComponent: Field {
            objectName: "chat_title"
            text: row.title
            placeholderText: qsTr("Title")
            onAccepted: { App.chat.rename(row.chatId, text); row.rename_done(); }
            Keys.onEscapePressed: row.rename_done()
            onActiveFocusChanged: if (!activeFocus) row.rename_done()
        }
    }
    Loader {
        id: menuLoader
        active: false
        sourceComponent: PopMenu {
            MenuRow { text: qsTr("Rename"); iconName: "pencil"; keys: "F2"; onTriggered: row.rename_asked() }
            MenuRow { text: row.pinned ? qsTr("Unpin") : qsTr("Pin"); iconName: "pin"; onTriggered: App.chat.set_pinned(row.chatId, !row.pinned) }
            MenuRow { text: qsTr("Delete"); iconName: "trash"; keys: "Del"; ink: Theme.error; onTriggered: App.chat.remove(row.chatId) }
        }
    }
}
