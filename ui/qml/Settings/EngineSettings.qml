// What computes, and what can be known and done about it.
import QtQuick
import Lavascope

SettingsGroup {
    id: group
    readonly property bool asking: panel.asking
    signal toast(string text)
    function cancel_server() { panel.cancel_server(); }
    key: "engine"
    name: qsTr("Models & engine")
    icon: "chip"
    onAppeared: App.engine.find_devices()
    onVanished: if (panel.asking) panel.leave_server()

    SettingsRow {
        title: qsTr("Computes on")
        help: qsTr("The engine starts again on what you choose.")
        words: qsTr("device processor graphics card GPU CUDA Vulkan another computer server address token model memory load unload restart")
        changed: App.engine.deviceChoice !== "auto"
        onReset: App.engine.use_device("auto")
        wide: true
        Column {
            width: parent.width
            spacing: 12
            EngineSwitch {
                id: panel
                width: parent.width
                titled: false
                live: group.visible
            }
            EngineActions {
                engine: panel
                width: parent.width
            }
        }
    }
    SettingsRow {
        title: qsTr("Devices of this computer")
        help: qsTr("Asks the drivers once more what is there, for a card that was added or a driver that was installed.")
        words: qsTr("look again refresh driver")
        ActionButton {
            objectName: "look_again"
            text: App.engine.findingDevices ? qsTr("Looking…") : qsTr("Look again")
            enabled: !App.engine.findingDevices
            onClicked: App.engine.find_devices()
        }
    }
    SettingsRow {
        title: qsTr("Check of the graphics card")
        help: qsTr("Automatic uses a card once it has computed right in a check, and remembers that. This has it checked anew; the engine starts again if it is on Automatic.")
        words: qsTr("selftest verdict trust")
        ActionButton {
            objectName: "check_again"
            text: qsTr("Check again")
            onClicked: {
                App.engine.check_devices_again();
                group.toast(App.engine.deviceChoice === "auto" && !App.engine.unloaded ? qsTr("The engine checks the card and starts again") : qsTr("The card is checked when Automatic next wants it"));
            }
        }
    }
    SettingsRow {
        title: qsTr("Engine's log")
        offered: App.engine.logFile !== ""
        help: App.engine.logFile
        words: qsTr("file trouble error messages report")
        ActionButton {
            objectName: "open_log"
            text: qsTr("Open")
            Accessible.name: qsTr("Open the engine's log")
            onClicked: if (!Desktop.open_path(App.engine.logFile)) group.toast(qsTr("There is no log yet, or no program that opens it"))
        }
        ActionButton {
            objectName: "copy_log_path"
            text: qsTr("Copy path")
            Accessible.name: qsTr("Copy the path of the engine's log")
            onClicked: { Desktop.copy(App.engine.logFile); group.toast(qsTr("Path copied")); }
        }
    }
}
