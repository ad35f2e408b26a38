// The engine's state in words and as a lamp.
import QtQuick
import Lavascope

QtObject {
    readonly property string state: App.engine.state
    readonly property bool off: App.engine.unloaded
    readonly property bool remote: App.engine.remote
    readonly property bool failed: state === "failed"
    readonly property color lamp: state === "ready" ? Theme.ok : failed ? Theme.error : off ? Theme.faint : Theme.warn
    readonly property string line: state === "ready" ? [App.engine.server, App.engine.backend].filter(t => t !== "").join(" \u00B7 ")
                                   : state === "loading" ? qsTr("Loading model %1 %").arg(Math.round(App.engine.progress * 100))
                                   : failed ? (remote ? (App.engine.lost ? qsTr("Connection lost") : qsTr("Not connected"))
                                                      : App.engine.modelMissing ? qsTr("No model") : qsTr("Engine stopped"))
                                   : state === "starting" ? (remote ? qsTr("Connecting…") : qsTr("Starting engine"))
                                   : off ? qsTr("Model unloaded") : qsTr("Engine is off")
    readonly property string where: state === "ready" ? line : off ? qsTr("Loads when you ask") : App.engine.server
    readonly property string device: state === "ready" ? App.engine.device : where
}
