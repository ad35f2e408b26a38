// Says that the words below belong to an earlier question.
import QtQuick
import Lavascope

Item {
    implicitHeight: 32
    Icon { x: 10; name: "pencil"; size: 16; color: Theme.accent; anchors.verticalCenter: parent.verticalCenter }
    Text {
        x: 34
        width: parent.width - 150
        anchors.verticalCenter: parent.verticalCenter
        text: qsTr("Editing your question")
        color: Theme.muted
        font.pixelSize: Theme.caption
        elide: Text.ElideRight
    }
    ActionButton {
        anchors.right: parent.right
        anchors.verticalCenter: parent.verticalCenter
        outlined: false
        text: qsTr("Cancel")
        onClicked: App.chat.cancel_edit()
    }
}
