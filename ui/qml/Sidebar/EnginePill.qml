// State of the engine at the foot of the sidebar; a click shows what it says of itself.
import QtQuick
import Lavascope
import QtQuick.Templates as T

T.Button {
    id: pill
    property bool rail: false
    readonly property string engineState: App.engine.state
    readonly property color lamp: engineState === "ready" ? Theme.ok : engineState === "failed" ? Theme.error : Theme.warn
    readonly property bool remote: App.engine.remote
    readonly property string line: engineState === "ready" ? [App.engine.server, App.engine.backend].filter(t => t !== "").join(" \u00B7 ")
                                   : engineState === "loading" ? qsTr("Loading model %1 %").arg(Math.round(App.engine.progress * 100))
                                   : engineState === "failed" ? (remote ? (App.engine.lost ? qsTr("Connection lost") : qsTr("Not connected"))
                                                                        : App.engine.modelMissing ? qsTr("No model") : qsTr("Engine stopped"))
                                   : engineState === "starting" ? (remote ? qsTr("Connecting…") : qsTr("Starting engine")) : qsTr("Engine is off")
    readonly property string where: engineState === "ready" ? line : App.engine.server
    implicitHeight: Math.max(40, words.implicitHeight + 12)
    hoverEnabled: true
    focusPolicy: Qt.TabFocus
    objectName: "engine_pill"
    Accessible.name: engineState === "ready" ? qsTr("Engine: %1, %2").arg(App.engine.modelName).arg(line) : qsTr("Engine: %1").arg([line, where].filter(t => t !== "").join(", "))
    Accessible.description: qsTr("Shows what computes, and lets you choose")
    onClicked: {
        popover.active = true;
        popover.item.byKeyboard = visualFocus;
        popover.item.visible = !popover.item.visible;
    }
    Keys.onReturnPressed: clicked()
    Keys.onEnterPressed: clicked()
    contentItem: Item {
        Rectangle {
            id: dot
            x: pill.rail ? (parent.width - width) / 2 : 10
            anchors.verticalCenter: parent.verticalCenter
            width: 10
            height: 10
            radius: pill.engineState === "failed" ? 2 : 5
            color: pill.lamp
        }
        Column {
            id: words
            visible: !pill.rail
            x: 30
            width: parent.width - 38
            anchors.verticalCenter: parent.verticalCenter
            Text {
                width: parent.width
                text: pill.engineState === "ready" ? App.engine.modelName : pill.line
                color: Theme.text
                font.pixelSize: Theme.caption
                font.weight: Font.Medium
                elide: Text.ElideRight
            }
            Text {
                width: parent.width
                visible: text !== ""
                text: pill.where
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
            visible: pill.engineState === "loading"
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
        sourceComponent: EnginePopover { parent: pill; line: pill.line; lamp: pill.lamp; below: pill.height }
    }
}
