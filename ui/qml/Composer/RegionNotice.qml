// Says that the words below ask about a region marked earlier, and lets it be left out.
import QtQuick
import Lavascope

Item {
    objectName: "region_notice"
    implicitHeight: 32
    Icon { x: 10; name: "region"; size: 16; color: Theme.accent; anchors.verticalCenter: parent.verticalCenter }
    Text {
        x: 34
        width: parent.width - 80
        anchors.verticalCenter: parent.verticalCenter
        text: qsTr("About the region you marked")
        color: Theme.muted
        font.pixelSize: Theme.caption
        elide: Text.ElideRight
    }
    IconButton {
        anchors.right: parent.right
        anchors.rightMargin: 4
        anchors.verticalCenter: parent.verticalCenter
        iconName: "close"
        iconSize: 16
        compact: true
        tip: qsTr("Leave the region out")
        onClicked: App.chat.composer.drop_regions()
    }
}
