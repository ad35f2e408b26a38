// A radio button of two lines: a name, and what is to be said of it.
import QtQuick
import Lavascope
import QtQuick.Templates as T

T.RadioButton {
    id: row
    checkable: false  // what is chosen says which one is current
    autoExclusive: false
    required property var entry  // of choice, name and detail
    property bool current: false
    property bool stop: current  // of Tab: one for a list; arrows walk in it
    text: entry.name
    hoverEnabled: true
    focusPolicy: stop || activeFocus ? Qt.TabFocus : Qt.NoFocus
    implicitHeight: Math.max(Theme.controlHeight + 8, words.implicitHeight + 12)
    Accessible.role: Accessible.RadioButton
    Accessible.name: [entry.name, entry.detail].filter(t => t !== "").join(", ")
    Accessible.checkable: true
    Accessible.checked: current
    Accessible.onPressAction: clicked()
    Keys.onReturnPressed: clicked()
    Keys.onEnterPressed: clicked()
    contentItem: Item {
        Rectangle {
            id: ring
            x: 8
            y: name.y + words.y + (nameMetrics.height - height) / 2
            width: 16
            height: 16
            radius: 8
            color: "transparent"
            border.width: row.current ? 2 : Math.max(1, Theme.lineWidth)
            border.color: row.current ? Theme.accent : Theme.control
            Rectangle {
                anchors.centerIn: parent
                visible: row.current
                width: 8
                height: 8
                radius: 4
                color: Theme.accent
            }
        }
        FontMetrics { id: nameMetrics; font: name.font }
        Column {
            id: words
            x: 34
            width: parent.width - 42
            anchors.verticalCenter: parent.verticalCenter
            Text {
                id: name
                width: parent.width
                text: row.entry.name
                textFormat: Text.PlainText
                color: Theme.text
                font.pixelSize: Theme.body
                wrapMode: Text.Wrap
            }
            Text {
                width: parent.width
                visible: text !== ""
                text: row.entry.detail
                textFormat: Text.PlainText
                color: Theme.muted
                font.pixelSize: Theme.caption
                wrapMode: Text.Wrap
            }
        }
    }
    background: Rectangle {
        radius: 6
        color: row.down || row.hovered ? Theme.hover : "transparent"
        FocusRing { target: row; anchors.margins: 0; radius: 6 }
    }
}
