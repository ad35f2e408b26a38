// ‹ 2/3 › : other answers to the same question, or other wordings of it.
import QtQuick
import Lavascope

Row {
    id: siblings
    required property var entry
    required property var message
    visible: (entry.siblings ?? 1) > 1
    IconButton {
        iconName: "left"
        iconSize: 16
        tip: qsTr("Previous (Alt+Left)")
        enabled: siblings.entry.sibling > 1 && !App.chat.busy
        onClicked: App.chat.select_sibling(siblings.message, -1)
    }
    Text {
        height: 32
        verticalAlignment: Text.AlignVCenter
        text: (siblings.entry.sibling ?? 1) + "/" + (siblings.entry.siblings ?? 1)
        color: Theme.muted
        font.pixelSize: Theme.caption
        Accessible.name: qsTr("%1 of %2").arg(siblings.entry.sibling).arg(siblings.entry.siblings)
    }
    IconButton {
        iconName: "right"
        iconSize: 16
        tip: qsTr("Next (Alt+Right)")
        enabled: siblings.entry.sibling < siblings.entry.siblings && !App.chat.busy
        onClicked: App.chat.select_sibling(siblings.message, 1)
    }
}
