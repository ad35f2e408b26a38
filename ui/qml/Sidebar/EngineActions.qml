// What can be done with the engine as an EngineSwitch shows it.
import QtQuick
import Lavascope

Flow {
    id: actions
    required property EngineSwitch engine
    readonly property bool failed: App.engine.state === "failed"
    readonly property bool remote: App.engine.remote
    spacing: 8
    ActionButton {
        objectName: "use_processor"
        visible: !actions.engine.asking && actions.failed && App.engine.deviceChoice !== "cpu" && !App.engine.modelMissing
        text: actions.remote ? qsTr("Use this computer") : qsTr("Use the processor")
        accent: !actions.remote
        onClicked: App.engine.use_device(actions.remote ? App.engine.localChoice : "cpu")
    }
    ActionButton {
        objectName: "server_connect"
        visible: actions.engine.asking
        text: App.engine.serverForm.trying ? qsTr("Connecting…") : qsTr("Connect")
        accent: true
        onClicked: actions.engine.submit()
    }
    ActionButton {
        objectName: "server_cancel"
        visible: actions.engine.asking
        text: qsTr("Cancel")
        onClicked: actions.engine.cancel_server()
    }
    ActionButton {
        objectName: "engine_load"
        visible: !actions.engine.asking && App.engine.unloaded
        text: qsTr("Load now")
        onClicked: App.engine.load()
    }
    ActionButton {
        objectName: "engine_restart"
        visible: !actions.engine.asking && !App.engine.unloaded
        text: !actions.remote ? qsTr("Restart engine") : actions.failed ? qsTr("Try again") : qsTr("Connect again")
        iconName: "refresh"
        accent: actions.failed && (actions.remote || App.engine.deviceChoice === "cpu")
        onClicked: App.engine.restart()
    }
    ActionButton {
        objectName: "engine_unload"
        visible: !actions.engine.asking && App.engine.canUnload
        text: qsTr("Unload")
        Accessible.description: qsTr("Gives the model's memory back. The next question loads it again.")
        onClicked: App.engine.unload()
    }
}
