// What computes, what it says of itself, and how to have another device compute.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

Popup {
    id: pop
    property bool byKeyboard: false
    readonly property bool asking: panel.asking
    required property real below  // height of what it stands on, at the foot of the window
    signal settings_wanted()
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
    onClosed: if (asking) panel.leave_server()
    onAboutToShow: App.engine.find_devices()
    onOpened: panel.focus_current(byKeyboard ? Qt.TabFocusReason : Qt.PopupFocusReason)
    onAskingChanged: view.contentY = 0
    background: Rectangle {
        radius: 12
        color: Theme.raised
        border.width: Theme.lineWidth
        border.color: Theme.line
    }
    contentItem: Item {
        implicitHeight: view.contentHeight + foot.implicitHeight + 12
        Keys.onEscapePressed: event => { event.accepted = pop.asking; if (pop.asking) panel.cancel_server(); }
        Accessible.role: Accessible.Dialog
        Accessible.name: qsTr("Engine")
        ScrollBody {
            id: view
            width: parent.width
            height: parent.height - foot.height - 12
            ScrollBar.vertical: ThinScroll { x: view.width + 4 }
            EngineSwitch {
                id: panel
                width: parent.width
                live: pop.opened
            }
            Flow {
                visible: !pop.asking
                width: parent.width
                topPadding: 8
                spacing: 4
                ActionButton {
                    objectName: "engine_settings"
                    text: qsTr("Settings")
                    iconName: "gear"
                    outlined: false
                    onClicked: pop.leave_for_settings()
                }
                ActionButton {
                    objectName: "engine_log"
                    visible: !App.engine.remote && App.engine.logFile !== ""
                    text: qsTr("Log")
                    iconName: "folder"
                    outlined: false
                    Accessible.name: qsTr("Open the engine's log")
                    onClicked: if (!Desktop.open_path(App.engine.logFile)) pop.leave_for_settings()  // which says where it is
                }
            }
        }
        EngineActions {
            id: foot
            engine: panel
            width: parent.width
            anchors.bottom: parent.bottom
        }
    }
    function leave_for_settings() {
        close();
        settings_wanted();
    }
}
