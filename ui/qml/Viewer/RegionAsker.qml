// A small composer beside a region that was just drawn.
import QtQuick
import Lavascope

FocusScope {
    id: asker
    objectName: "region_asker"
    property rect beside  // the region, in the parent
    property string trouble: ""
    readonly property bool held: App.chat.busy
    readonly property real gap: 10
    readonly property bool below: beside.y + beside.height + gap + height <= parent.height - 8
    readonly property bool above: beside.y - gap - height >= 8
    signal asked(string question)
    signal cancelled()
    visible: false
    width: Math.min(320 * Math.max(1, Theme.textScale * 0.85), parent.width - 16)
    height: column.implicitHeight + 20
    x: Math.max(8, Math.min(parent.width - width - 8, beside.x + beside.width / 2 - width / 2))
    y: below ? beside.y + beside.height + gap : above ? beside.y - gap - height : Math.max(8, parent.height - height - 8)

    function open() {
        field.clear();
        trouble = "";
        visible = true;
        field.forceActiveFocus();
    }
    function close() {
        visible = false;
        focus = false;
    }
    function ask(question) { if (!held && question.trim() !== "") asked(question.trim()); }

    Accessible.role: Accessible.Dialog
    Accessible.name: field.placeholderText
    Keys.onPressed: event => {  // the keys of the picture below are not meant here
        if (event.key === Qt.Key_Escape) cancelled();
        event.accepted = event.key !== Qt.Key_Tab && event.key !== Qt.Key_Backtab;
    }

    Rectangle {
        anchors { fill: ground; margins: -1; topMargin: 3; bottomMargin: -5 }
        radius: ground.radius + 2
        color: Theme.shadow
    }
    Rectangle {
        id: ground
        anchors.fill: parent
        radius: 12
        color: Theme.raised
        border.width: Theme.lineWidth
        border.color: Theme.line
        MouseArea { anchors.fill: parent; acceptedButtons: Qt.AllButtons; cursorShape: Qt.ArrowCursor; onWheel: event => event.accepted = true }
    }
    Column {
        id: column
        x: 10
        y: 10
        width: parent.width - 20
        spacing: 8
        Item {
            width: parent.width
            height: field.height
            Field {
                id: field
                objectName: "region_field"
                width: parent.width - send.width - 8
                focus: true
                maximumLength: 4000
                placeholderText: qsTr("Ask about this region")
                onAccepted: asker.ask(text)
            }
            IconButton {
                id: send
                objectName: "region_send"
                anchors.right: parent.right
                anchors.verticalCenter: parent.verticalCenter
                iconName: "send"
                tip: qsTr("Send (Enter)")
                radius: 16
                enabled: !asker.held && field.text.trim() !== ""
                ink: enabled ? Theme.onAccent : Theme.faint
                ground: enabled ? (hovered ? Qt.lighter(Theme.accent, 1.08) : Theme.accent) : Theme.hover
                onClicked: asker.ask(field.text)
            }
        }
        ActionButton {
            objectName: "what_is_this"
            text: qsTr("What is this?")
            enabled: !asker.held
            onClicked: asker.ask(text)
        }
        Text {
            width: parent.width
            visible: text !== ""
            text: asker.held ? qsTr("An answer is still being written") : asker.trouble
            color: Theme.warn
            font.pixelSize: Theme.caption
            wrapMode: Text.Wrap
        }
    }
}
