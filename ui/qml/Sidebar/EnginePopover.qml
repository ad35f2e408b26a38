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
    closePolicy: Popup.CloseOnEscape | Popup.CloseOnPressOutsideParent
    onAboutToShow: App.engine.find_devices()
    onOpened: devices.focus_current(byKeyboard ? Qt.TabFocusReason : Qt.PopupFocusReason)
    // Rows are made anew when other devices are found, and the keyboard would be lost with them.
    function refocus() { if (pop.opened && pop.contentItem.Window.activeFocusItem === pop.contentItem.parent) devices.focus_again(); }
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
                Column {
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
                        visible: text !== "" && App.engine.state === "ready"
                        text: App.engine.device
                        textFormat: Text.PlainText
                        color: Theme.muted
                        font.pixelSize: Theme.caption
                        wrapMode: Text.Wrap
                    }
                }
                EngineTrouble { width: parent.width }
                EngineDevices {
                    id: devices
                    width: parent.width
                    onReached: row => pop.reveal(row)
                }
                EngineMemory { width: parent.width }
                EngineFacts {
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
                visible: pop.failed && App.engine.deviceChoice !== "cpu" && !App.engine.modelMissing
                text: qsTr("Use the processor")
                accent: true
                onClicked: App.engine.use_device("cpu")
            }
            ActionButton {
                objectName: "engine_restart"
                text: qsTr("Restart engine")
                iconName: "refresh"
                accent: pop.failed && App.engine.deviceChoice === "cpu"
                onClicked: App.engine.restart()
            }
        }
    }
}
