// Under an answer: siblings, copy, regenerate, timings. Always there for the last one, on hover or focus for the others.
import QtQuick
import Lavascope

FocusScope {
    id: footer
    required property Item row
    readonly property var entry: row.entry
    readonly property bool shown: !!entry.last || activeFocus || row.list.hovered_message === row.message
    implicitHeight: Math.max(32, timings.implicitHeight + 12)
    opacity: shown ? 1 : 0
    Behavior on opacity { NumberAnimation { duration: Theme.fade } }
    Row {
        x: -6
        spacing: 2
        SiblingSwitch { entry: footer.entry; message: footer.row.message }
        CopyButton { message: footer.row.message; tip: qsTr("Copy answer") }
        IconButton {
            iconName: "refresh"
            iconSize: 16
            tip: qsTr("Another answer (Ctrl+R)")
            enabled: !App.chat.busy
            onClicked: App.chat.regenerate(footer.row.message)
        }
        Text {
            visible: !!footer.entry.stopped || !!footer.entry.cut
            height: 32
            leftPadding: 8
            verticalAlignment: Text.AlignVCenter
            text: footer.entry.stopped ? qsTr("Stopped") : qsTr("Cut at the longest length")
            color: Theme.muted
            font.pixelSize: Theme.caption
        }
    }
    Text {
        id: timings
        anchors.right: parent.right
        anchors.verticalCenter: parent.verticalCenter
        visible: footer.width > 380
        text: footer.entry.timings ?? ""
        color: Theme.muted
        font.pixelSize: Theme.caption
    }
}
