// The question: a card at the right, pictures above the words.
import QtQuick
import Lavascope

FocusScope {
    id: user
    required property Item row
    readonly property var entry: row.entry
    readonly property var pictures: entry.pictures ?? []
    readonly property var pointed: entry.pointed ?? null
    readonly property bool shown: activeFocus || row.list.hovered_message === row.message
    implicitHeight: card.height + 32
    Rectangle {
        id: card
        anchors.right: parent.right
        width: Math.min(user.width * 0.85, Math.max(words.implicitWidth, grid.visible ? grid.width : 0, region.item ? region.item.width : 0) + 32)
        height: column.implicitHeight + 24
        radius: 12
        color: Theme.raised
        border.width: App.chat.editing === user.row.message ? 2 : Theme.lineWidth
        border.color: App.chat.editing === user.row.message ? Theme.accent : Theme.line
        Column {
            id: column
            x: 16
            y: 12
            width: parent.width - 32
            spacing: 8
            PictureGrid {
                id: grid
                visible: user.pictures.length > 0
                most: user.width * 0.85 - 32
                pictures: user.pictures
                highlight: user.row.list.highlight_state
                onWanted: (picture, number) => user.row.list.picture_wanted(picture, number)
            }
            Loader {
                id: region
                visible: active
                active: !!user.pointed
                sourceComponent: RegionPicture {
                    picture: user.pointed
                    highlight: user.row.list.highlight_state
                    most: user.width * 0.85 - 32
                    onWanted: user.row.list.picture_wanted(user.pointed.number, 0)
                }
            }
            TextEdit {
                id: words
                width: parent.width
                visible: text !== ""
                text: user.entry.text ?? ""
                textFormat: TextEdit.PlainText
                wrapMode: TextEdit.Wrap
                readOnly: true
                selectByMouse: true
                activeFocusOnTab: false
                color: Theme.text
                selectionColor: Theme.accent
                selectedTextColor: Theme.onAccent
                font.pixelSize: Theme.message
                Accessible.role: Accessible.Paragraph
                Accessible.name: text
            }
        }
    }
    Row {
        anchors.right: card.right
        anchors.top: card.bottom
        opacity: user.shown ? 1 : 0
        Behavior on opacity { NumberAnimation { duration: Theme.fade } }
        SiblingSwitch { entry: user.entry; message: user.row.message }
        CopyButton { message: user.row.message; tip: qsTr("Copy question") }
        IconButton {
            iconName: "pencil"
            iconSize: 16
            tip: qsTr("Edit question")
            enabled: !App.chat.busy
            onClicked: App.chat.begin_edit(user.row.message)
        }
    }
}
