// Why the engine does not work, and what can be done; or what it had to give up though it works.
import QtQuick
import Lavascope

Rectangle {
    id: trouble
    readonly property bool failed: App.engine.state === "failed"
    readonly property string cause: sentence(App.engine.errorCause)
    readonly property string remedy: App.engine.deviceMissing ? qsTr("Choose another device below, or the processor.") : sentence(App.engine.errorRemedy)
    function sentence(text) { return text === "" ? "" : text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : "."); }
    objectName: "engine_trouble"
    readonly property bool wanted: failed || App.engine.notice !== ""
    implicitHeight: words.implicitHeight + 20
    radius: 6
    color: Theme.card
    border.width: Theme.lineWidth
    border.color: failed ? Theme.error : Theme.line
    Accessible.role: Accessible.AlertMessage
    Accessible.name: words.text
    Icon {
        id: sign
        x: 10
        y: 10
        name: "warning"
        size: 16
        color: trouble.failed ? Theme.error : Theme.warn
    }
    Text {
        id: words
        x: sign.x + sign.width + 8
        y: 10
        width: parent.width - x - 10
        text: trouble.failed ? [trouble.sentence(App.engine.errorWhat), trouble.cause, trouble.remedy].filter(t => t !== "").join("\n") : App.engine.notice
        textFormat: Text.PlainText
        wrapMode: Text.Wrap
        color: Theme.text
        font.pixelSize: Theme.caption
    }
}
