// Above the conversation: model, title of the chat, appearance and help.
import QtQuick
import Lavascope

Item {
    id: header
    property bool menu_button: false
    signal menu_wanted()
    signal keys_wanted()
    implicitHeight: Math.max(48, Theme.controlHeight + 16)
    Rectangle { anchors.bottom: parent.bottom; width: parent.width; height: Theme.lineWidth; color: Theme.line }
    Row {
        id: left
        x: 8
        spacing: 4
        anchors.verticalCenter: parent.verticalCenter
        IconButton { visible: header.menu_button; iconName: "sidebar"; tip: qsTr("Chats (Ctrl+B)"); onClicked: header.menu_wanted() }
        Item { width: 6; height: 1 }
        Text {
            anchors.verticalCenter: parent.verticalCenter
            width: Math.min(implicitWidth, header.width * 0.3)
            text: App.engine.modelName
            textFormat: Text.PlainText
            color: Theme.text
            font.pixelSize: Theme.body
            font.weight: Font.DemiBold
            elide: Text.ElideRight
        }
        Icon {
            visible: App.engine.vision
            name: "image"
            size: 16
            color: Theme.muted
            anchors.verticalCenter: parent.verticalCenter
            Accessible.ignored: false
            Accessible.name: qsTr("sees pictures")
        }
    }
    Text {
        readonly property real side: Math.max(left.width + 16, right.width + 16)
        x: side
        width: header.width - 2 * side
        anchors.verticalCenter: parent.verticalCenter
        horizontalAlignment: Text.AlignHCenter
        text: App.chat.title
        textFormat: Text.PlainText
        color: Theme.muted
        font.pixelSize: Theme.body
        elide: Text.ElideRight
        maximumLineCount: 1
        visible: width > 60
    }
    Row {
        id: right
        anchors.right: parent.right
        anchors.rightMargin: 8
        anchors.verticalCenter: parent.verticalCenter
        IconButton {
            iconName: "more"
            tip: qsTr("Appearance and help")
            onClicked: { menu.active = true; menu.item.popup(this, 0, height + 4); }
        }
    }
    Loader {
        id: menu
        active: false
        sourceComponent: PopMenu {
            MenuRow { text: qsTr("Light"); checkable: true; checked: Theme.name === "light"; onTriggered: Theme.name = "light" }
            MenuRow { text: qsTr("Dark"); checkable: true; checked: Theme.name === "dark"; onTriggered: Theme.name = "dark" }
            MenuRow { text: qsTr("High contrast"); checkable: true; checked: Theme.name === "contrast"; onTriggered: Theme.name = "contrast" }
            MenuRow { text: qsTr("Like the system"); onTriggered: Theme.name = "" }
            MenuLine {}
            MenuRow { text: qsTr("Larger text"); keys: "Ctrl++"; onTriggered: Theme.textScale += 0.1 }
            MenuRow { text: qsTr("Smaller text"); keys: "Ctrl+-"; onTriggered: Theme.textScale -= 0.1 }
            MenuRow { text: qsTr("Less motion"); checkable: true; checked: Theme.reducedMotion; onTriggered: Theme.reducedMotion = !Theme.reducedMotion }
            MenuLine {}
            MenuRow { text: qsTr("Keys"); iconName: "question"; keys: "F1"; onTriggered: header.keys_wanted() }
        }
    }
}
