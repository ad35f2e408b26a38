// State of the engine at the foot of the sidebar; a click shows what it says of itself.
import QtQuick
import Lavascope
import QtQuick.Templates as T

T.Button {
    id: pill
    property bool rail: false
    readonly property string line: now.line
    signal settings_wanted()
    EngineState { id: now }
    implicitHeight: Math.max(40, words.implicitHeight + 12)
    hoverEnabled: true
    focusPolicy: Qt.TabFocus
    objectName: "engine_pill"
    Accessible.name: now.state === "ready" ? qsTr("Engine: %1, %2").arg(App.engine.modelName).arg(line) : qsTr("Engine: %1").arg([line, now.where].filter(t => t !== "").join(", "))
    Accessible.description: qsTr("Shows what computes, and lets you choose")
    onClicked: {
        popover.active = true;
        popover.item.byKeyboard = visualFocus;
        popover.item.visible = !popover.item.visible;
    }
    Keys.onReturnPressed: clicked()
    Keys.onEnterPressed: clicked()
    contentItem: Item {
        EngineLamp {
            engine: now
            x: pill.rail ? (parent.width - width) / 2 : 10
            anchors.verticalCenter: parent.verticalCenter
        }
        Column {
            id: words
            visible: !pill.rail
            x: 30
            width: parent.width - 38
            anchors.verticalCenter: parent.verticalCenter
            Text {
                width: parent.width
                text: now.state === "ready" ? App.engine.modelName : pill.line
                color: Theme.text
                font.pixelSize: Theme.caption
                font.weight: Font.Medium
                elide: Text.ElideRight
            }
            Text {
                width: parent.width
                visible: text !== ""
                text: now.where
                textFormat: Text.PlainText
                color: Theme.muted
                font.pixelSize: Theme.caption
                elide: Text.ElideRight
            }
        }
    }
    background: Rectangle {
        radius: 10
        color: pill.hovered || pill.down ? Theme.hover : Theme.card
        border.width: Theme.lineWidth
        border.color: Theme.line
        clip: true
        Rectangle {
            visible: now.state === "loading"
            height: 3
            anchors.bottom: parent.bottom
            width: parent.width * App.engine.progress
            color: Theme.accent
        }
        FocusRing { target: pill; radius: 14 }
    }
    Loader {
        id: popover
        active: false
        sourceComponent: EnginePopover { parent: pill; below: pill.height; onSettings_wanted: pill.settings_wanted() }
    }
}
