// What computes, what it says of itself, and how to have another device compute.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

Popup {
    id: pop
    required property string line
    required property color lamp
    property bool byKeyboard: false
    readonly property bool failed: App.engine.state === "failed"
    readonly property bool remote: App.engine.remote
    property bool asking: false  // for a server
    required property real below  // height of what it stands on, at the foot of the window
    readonly property real room: parent && parent.Window.window ? parent.Window.height - below - 32 : 460
    objectName: "engine_popover"
    y: -height - 8
    width: Math.min(Math.round(340 * Math.max(1, Theme.textScale * 0.8)), parent && parent.Window.window ? parent.Window.width - 16 : 340)
    height: Math.min(implicitHeight, room)
    margins: 8
    padding: 16
    modal: false
    focus: true
    closePolicy: asking ? Popup.CloseOnPressOutsideParent : Popup.CloseOnEscape | Popup.CloseOnPressOutsideParent
    onClosed: if (asking) leave_server()
    function ask_server() {
        asking = true;
        view.contentY = 0;
        sheet.begin();
    }
    // Escape and Cancel: first the try, then the form.
    function cancel_server() { App.engine.serverForm.trying ? App.engine.serverForm.cancel() : leave_server(); }
    function leave_server() {
        App.engine.serverForm.cancel();
        asking = false;
        if (opened) devices.focus_again();
    }
    Connections {
        target: App.engine.serverForm
        function onReached() {
            pop.asking = false;
            Qt.callLater(devices.focus_current, Qt.TabFocusReason);
        }
    }
    onAboutToShow: App.engine.find_devices()
    onOpened: devices.focus_current(byKeyboard ? Qt.TabFocusReason : Qt.PopupFocusReason)
    // Rows are made anew when other devices are found, and the keyboard would be lost with them.
    function refocus() { if (pop.opened && !pop.asking && pop.contentItem.Window.activeFocusItem === pop.contentItem.parent) devices.focus_again(); }
    Connections {
        target: App.engine
        function onDevices_changed() { Qt.callLater(pop.refocus); }
    }
    background: Rectangle {
        radius: 12
        color: Theme.raised
        border.width: Theme.lineWidth
        border.color: Theme.line
    }
    function reveal(item) {
        const top = item.mapToItem(body, 0, 0).y;
        if (top < view.contentY) view.contentY = top;
        else if (top + item.height > view.contentY + view.height) view.contentY = Math.min(top, top + item.height - view.height);
    }
    contentItem: Item {
        implicitHeight: body.implicitHeight + foot.implicitHeight + 12
        Keys.onEscapePressed: event => { event.accepted = pop.asking; if (pop.asking) pop.cancel_server(); }
        Accessible.role: Accessible.Dialog
        Accessible.name: qsTr("Engine")
        Flickable {
            id: view
            width: parent.width
            height: parent.height - foot.height - 12
            contentHeight: body.implicitHeight
            clip: true
            boundsBehavior: Flickable.StopAtBounds
            ScrollBar.vertical: ThinScroll { x: view.width + 4 }
            Column {
                id: body
                width: view.width
                spacing: 12
                ServerSheet {
                    id: sheet
                    visible: pop.asking
                    width: parent.width
                    onReached: field => Qt.callLater(pop.reveal, field)
                }
                Column {
                    visible: !pop.asking
                    width: parent.width
                    spacing: 2
                    Row {
                        spacing: 8
                        width: parent.width
                        Rectangle {
                            width: 10
                            height: 10
                            radius: pop.failed ? 2 : 5
                            color: pop.lamp
                            anchors.verticalCenter: parent.verticalCenter
                        }
                        Text {
                            objectName: "engine_state"
                            width: parent.width - 18
                            text: pop.line
                            color: Theme.text
                            font.pixelSize: Theme.body
                            font.weight: Font.DemiBold
                            wrapMode: Text.Wrap
                        }
                    }
                    Text {
                        objectName: "engine_device"
                        width: parent.width
                        visible: text !== ""
                        text: App.engine.state === "ready" ? App.engine.device : App.engine.server
                        textFormat: Text.PlainText
                        color: Theme.muted
                        font.pixelSize: Theme.caption
                        wrapMode: Text.Wrap
                    }
                }
                EngineTrouble {
                    visible: !pop.asking && wanted
                    width: parent.width
                }
                EngineDevices {
                    id: devices
                    visible: !pop.asking
                    width: parent.width
                    onReached: row => pop.reveal(row)
                    onServer_wanted: pop.ask_server()
                }
                EngineMemory {
                    visible: !pop.asking && App.engine.memory.length > 0
                    width: parent.width
                }
                EngineFacts {
                    visible: !pop.asking && App.engine.facts.length > 0
                    width: parent.width
                    onReached: button => pop.reveal(button)
                }
            }
        }
        Flow {
            id: foot
            width: parent.width
            anchors.bottom: parent.bottom
            spacing: 8
            ActionButton {
                objectName: "use_processor"
                visible: !pop.asking && pop.failed && App.engine.deviceChoice !== "cpu" && !App.engine.modelMissing
                text: pop.remote ? qsTr("Use this computer") : qsTr("Use the processor")
                accent: !pop.remote
                onClicked: App.engine.use_device(pop.remote ? App.engine.localChoice : "cpu")
            }
            ActionButton {
                objectName: "server_connect"
                visible: pop.asking
                text: App.engine.serverForm.trying ? qsTr("Connecting…") : qsTr("Connect")
                accent: true
                onClicked: sheet.submit()
            }
            ActionButton {
                objectName: "server_cancel"
                visible: pop.asking
                text: qsTr("Cancel")
                onClicked: pop.cancel_server()
            }
            ActionButton {
                objectName: "engine_restart"
                visible: !pop.asking
                text: !pop.remote ? qsTr("Restart engine") : pop.failed ? qsTr("Try again") : qsTr("Connect again")
                iconName: "refresh"
                accent: pop.failed && (pop.remote || App.engine.deviceChoice === "cpu")
                onClicked: App.engine.restart()
            }
        }
    }
}
