// The keys of the window and what they do; of a search, those that it finds.
import QtQuick
import Lavascope

Column {
    id: list
    property string query: ""
    readonly property var all: [
        ["Enter", qsTr("Send")], ["Shift+Enter", qsTr("New line")], ["Esc", qsTr("Stop the answer, close what is open")],
        ["Up", qsTr("Edit the last question (empty field)")], ["Ctrl+R", qsTr("Another answer")],
        ["Alt+Left, Alt+Right", qsTr("Previous or next answer; in pictures: order")], ["Ctrl+Shift+C", qsTr("Copy the last answer")],
        ["R", qsTr("In an opened picture: draw a region to ask about it")],
        ["Ctrl+N", qsTr("New chat")], ["Ctrl+K", qsTr("Search chats")], ["Ctrl+B", qsTr("Show or hide chats")], ["F2", qsTr("Rename the chat")],
        ["Ctrl+,", qsTr("Settings")], ["Ctrl++, Ctrl+-, Ctrl+0", qsTr("Text size")], ["PgUp, PgDown", qsTr("Scroll the conversation")],
        ["Tab", qsTr("Walk through controls and marked words")], ["F1, Ctrl+/", qsTr("The keys")], ["Ctrl+Q", qsTr("Quit")]]
    readonly property bool any: App.query === "" || all.some(row => App.finds(row.join(" ")))
    readonly property var shown: query === "" ? all : all.filter(row => App.finds(row.join(" ")))
    spacing: 10
    Repeater {
        model: list.shown
        PairRow {
            required property var modelData
            width: list.width
            name: modelData[0]
            value: modelData[1]
            share: 0.4
            keys: true
        }
    }
}
