// The engine as the popover and the settings show it: what is wrong, what computes and what else could, its memory; and the form for a server elsewhere,
// which takes the place of all that.
import QtQuick
import Lavascope

Column {
    id: engine
    property bool asking: false   // for a server
    property bool live: true      // on screen: may take the keyboard
    property alias titled: devices.titled
    spacing: 12
    function ask_server() {
        asking = true;
        sheet.begin();
    }
    function submit() { sheet.submit(); }
    // Escape and Cancel: first the try, then the form.
    function cancel_server() { App.engine.serverForm.trying ? App.engine.serverForm.cancel() : leave_server(); }
    function leave_server() {
        App.engine.serverForm.cancel();
        asking = false;
        if (live) devices.focus_again();
    }
    function focus_current(reason) { devices.focus_current(reason); }
    Connections {
        target: App.engine.serverForm
        enabled: engine.asking
        function onReached() {
            engine.asking = false;
            Qt.callLater(devices.focus_current, Qt.TabFocusReason);
        }
    }

    ServerSheet {
        id: sheet
        visible: engine.asking
        width: parent.width
    }
    EngineHead {
        visible: !engine.asking
        width: parent.width
    }
    EngineTrouble {
        visible: !engine.asking && wanted
        width: parent.width
    }
    EngineDevices {
        id: devices
        visible: !engine.asking
        width: parent.width
        onServer_wanted: engine.ask_server()
    }
    ServedModels {
        visible: !engine.asking && several
        width: parent.width
    }
    EngineMemory {
        visible: !engine.asking && App.engine.memory.length > 0
        width: parent.width
    }
    EngineFacts {
        visible: !engine.asking && App.engine.facts.length > 0
        width: parent.width
    }
}
