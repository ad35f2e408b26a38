// What computes, and what else could.
import QtQuick
import Lavascope

Column {
    id: devices
    property bool titled: true
    signal server_wanted()
    function focus_current(reason) { list.focus_current(reason); }
    function focus_again() { list.focus_again(); }

    ChoiceList {
        id: list
        objectName: "deviceChoices"
        width: parent.width
        name: qsTr("Computes on")
        titled: devices.titled
        rows: App.engine.devices
        current: App.engine.deviceChoice
        rowName: "device_row"
        onChosen: choice => choice === "server" ? devices.server_wanted() : App.engine.use_device(choice)
    }
    Text {
        objectName: "devices_sought"
        width: parent.width
        visible: App.engine.findingDevices
        text: qsTr("Looking for devices…")
        color: Theme.muted
        font.pixelSize: Theme.caption
        topPadding: 4
    }
    Repeater {
        model: App.engine.deviceNotes
        Text {
            required property string modelData
            objectName: "device_note"
            width: devices.width
            text: modelData
            textFormat: Text.PlainText
            color: Theme.muted
            font.pixelSize: Theme.caption
            wrapMode: Text.Wrap
            topPadding: 4
        }
    }
    Text {
        objectName: "device_warning"
        width: parent.width
        visible: App.chat.busy
        text: App.engine.canUnload ? qsTr("An answer is being written: another choice stops it, and so does Unload. What is written stays.")
                                   : qsTr("An answer is being written: another choice stops it. What is written stays.")
        color: Theme.text
        font.pixelSize: Theme.caption
        wrapMode: Text.Wrap
        topPadding: 6
    }
}
