// The list of keys.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

Popup {
    id: sheet
    anchors.centerIn: parent
    modal: true
    focus: true
    padding: 24
    width: Math.min(520 * Math.max(1, Theme.textScale * 0.8), parent ? parent.width - 32 : 520)
    height: Math.min(implicitHeight, parent ? parent.height - 32 : implicitHeight)
    background: Rectangle { radius: 16; color: Theme.raised; border.width: Theme.lineWidth; border.color: Theme.line }
    readonly property var rows: [
        ["Enter", qsTr("Send")], ["Shift+Enter", qsTr("New line")], ["Esc", qsTr("Stop the answer, close what is open")],
        ["Up", qsTr("Edit the last question (empty field)")], ["Ctrl+R", qsTr("Another answer")],
        ["Alt+Left, Alt+Right", qsTr("Previous or next answer; in pictures: order")], ["Ctrl+Shift+C", qsTr("Copy the last answer")],
        ["R", qsTr("In an opened picture: draw a region to ask about it")],
        ["Ctrl+N", qsTr("New chat")], ["Ctrl+K", qsTr("Search chats")], ["Ctrl+B", qsTr("Show or hide chats")], ["F2", qsTr("Rename the chat")],
        ["Ctrl++, Ctrl+-, Ctrl+0", qsTr("Text size")], ["PgUp, PgDown", qsTr("Scroll the conversation")], ["Tab", qsTr("Walk through controls and marked words")],
        ["F1, Ctrl+/", qsTr("This list")], ["Ctrl+Q", qsTr("Quit")]]
    contentItem: Flickable {
        implicitHeight: body.implicitHeight
        contentHeight: body.implicitHeight
        clip: true
        boundsBehavior: Flickable.StopAtBounds
        ScrollBar.vertical: ThinScroll {}
        Column {
            id: body
            width: parent.width
            spacing: 10
            Text { text: qsTr("Keys"); color: Theme.text; font.pixelSize: Theme.section; font.weight: Font.DemiBold }
            Repeater {
                model: sheet.rows
                Item {
                    required property var modelData
                    width: body.width
                    height: Math.max(key.implicitHeight, what.implicitHeight)
                    Text {
                        id: key
                        width: parent.width * 0.4
                        text: parent.modelData[0]
                        color: Theme.text
                        font.family: Theme.mono
                        font.pixelSize: Theme.caption
                        wrapMode: Text.Wrap
                    }
                    Text {
                        id: what
                        x: parent.width * 0.42
                        width: parent.width * 0.58
                        text: parent.modelData[1]
                        color: Theme.muted
                        font.pixelSize: Theme.body
                        wrapMode: Text.Wrap
                    }
                }
            }
        }
    }
}
