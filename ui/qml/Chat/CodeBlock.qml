// Code with its language and a copy button; long lines scroll.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

BlockFrame {
    id: block
    implicitHeight: panel.height
    Panel {
        id: panel
        width: parent.width
        height: head.height + flick.height + 8
        clip: true
        Item {
            id: head
            width: parent.width
            height: Math.max(32, language.implicitHeight + 8)
            Text {
                id: language
                x: 14
                anchors.verticalCenter: parent.verticalCenter
                text: block.row.entry.language || qsTr("code")
                textFormat: Text.PlainText
                color: Theme.muted
                font.pixelSize: Theme.caption
            }
            IconButton {
                id: copy
                property bool done: false
                anchors.right: parent.right
                anchors.rightMargin: 4
                anchors.verticalCenter: parent.verticalCenter
                compact: true
                iconSize: 16
                iconName: done ? "check" : "copy"
                tip: done ? qsTr("Copied") : qsTr("Copy code")
                onClicked: { Desktop.copy(block.row.entry.text); done = true; reset.start(); }
                Timer { id: reset; interval: 1500; onTriggered: copy.done = false }
            }
        }
        Flickable {
            id: flick
            y: head.height
            x: 14
            width: parent.width - 28
            height: code.implicitHeight + 8
            contentWidth: code.implicitWidth
            flickableDirection: Flickable.HorizontalFlick
            boundsBehavior: Flickable.StopAtBounds
            clip: true
            ScrollBar.horizontal: ThinScroll {}
            TextEdit {
                id: code
                text: block.row.entry.text ?? ""
                textFormat: TextEdit.PlainText
                readOnly: true
                selectByMouse: true
                activeFocusOnTab: false
                color: Theme.text
                selectionColor: Theme.accent
                selectedTextColor: Theme.onAccent
                font.family: Theme.mono
                font.pixelSize: Theme.code
                Accessible.role: Accessible.StaticText
                Accessible.name: text
            }
        }
    }
}
