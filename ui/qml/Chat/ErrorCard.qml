// What went wrong: one sentence, its cause, what can be done, and the log on demand.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

Panel {
    id: card
    objectName: "error_card"
    required property Item row
    readonly property var entry: row.entry
    readonly property bool down: App.engine.state === "failed" || (App.engine.state === "stopped" && !App.engine.unloaded)
    readonly property string details: down && App.engine.errorCause !== "" ? App.engine.errorCause : (entry.cause ?? "")
    readonly property string cause: down && App.engine.errorWhat !== "" ? App.engine.errorWhat : (entry.cause ?? "").split("\n")[0]
    readonly property string remedy: down && App.engine.deviceMissing ? qsTr("Let the processor compute, or choose another device at the foot of the chats") : (entry.remedy ?? "")
    property bool unfolded: false
    implicitHeight: body.implicitHeight + 28
    color: Theme.card
    clip: true
    Accessible.role: Accessible.AlertMessage
    Accessible.name: (entry.what ?? "") + ". " + (entry.cause ?? "")
    Rectangle { width: 3; height: parent.height; color: Theme.error }
    Column {
        id: body
        x: 18
        y: 14
        width: parent.width - 34
        spacing: 8
        Row {
            spacing: 8
            width: parent.width
            Icon { id: sign; name: "warning"; color: Theme.error }
            Text {
                width: parent.width - sign.width - 8
                text: (card.entry.what ?? qsTr("Something went wrong")) + "."
                textFormat: Text.PlainText
                wrapMode: Text.Wrap
                color: Theme.text
                font.pixelSize: Theme.body
                font.weight: Font.DemiBold
            }
        }
        Text {
            width: parent.width
            visible: text !== ""
            text: [card.cause, card.remedy].filter(t => t !== "").map(t => t[0].toUpperCase() + t.slice(1) + (t.endsWith(".") ? "" : ".")).join(" ")
            textFormat: Text.PlainText
            wrapMode: Text.Wrap
            maximumLineCount: 4
            elide: Text.ElideRight
            color: Theme.muted
            font.pixelSize: Theme.body
        }
        Flow {
            width: parent.width
            spacing: 8
            ActionButton {
                objectName: "restart_engine"
                visible: card.down && !App.engine.modelMissing
                text: App.engine.remote ? qsTr("Connect again") : qsTr("Restart engine")
                iconName: "refresh"
                accent: true
                onClicked: App.engine.restart()
            }
            ActionButton {
                objectName: "card_use_processor"
                visible: card.down && App.engine.deviceChoice !== "cpu" && !App.engine.modelMissing
                text: App.engine.remote ? qsTr("Use this computer") : qsTr("Use the processor")
                onClicked: App.engine.use_device(App.engine.remote ? App.engine.localChoice : "cpu")
            }
            ActionButton {
                objectName: "try_again"
                text: qsTr("Try again")
                accent: !card.down
                enabled: !App.chat.busy && !card.down
                onClicked: App.chat.try_again(card.row.message)
            }
            ActionButton {
                visible: card.details !== ""
                text: card.unfolded ? qsTr("Hide details") : qsTr("Details")
                outlined: false
                onClicked: card.unfolded = !card.unfolded
            }
        }
        Loader {
            width: parent.width
            active: App.engine.modelMissing
            visible: active
            sourceComponent: MissingModelCard {}
        }
        Loader {
            width: parent.width
            active: card.unfolded
            visible: active
            sourceComponent: Rectangle {
                implicitHeight: Math.min(log.implicitHeight + 20, 220)
                radius: 6
                color: Theme.ground
                border.width: Theme.lineWidth
                border.color: Theme.line
                Flickable {
                    anchors.fill: parent
                    anchors.margins: 10
                    contentHeight: log.implicitHeight
                    clip: true
                    ScrollBar.vertical: ThinScroll {}
                    TextEdit {
                        id: log
                        width: parent.width - 32
                        text: card.details
                        textFormat: TextEdit.PlainText
                        readOnly: true
                        selectByMouse: true
                        wrapMode: TextEdit.WrapAnywhere
                        color: Theme.muted
                        font.family: Theme.mono
                        font.pixelSize: Theme.caption
                    }
                }
                IconButton {
                    anchors { right: parent.right; top: parent.top; margins: 4 }
                    compact: true
                    iconName: "copy"
                    iconSize: 16
                    tip: qsTr("Copy details")
                    onClicked: Desktop.copy([card.entry.what, card.entry.cause, card.details].join("\n"))
                }
            }
        }
    }
}
