// What computes, and what else could.
import QtQuick
import Lavascope

Column {
    id: devices
    objectName: "deviceChoices"
    property string at: ""  // the choice whose row had the keyboard last
    property bool ringed: false
    signal reached(Item row)
    signal server_wanted()
    Accessible.role: Accessible.Grouping
    Accessible.name: title.text

    function focus_current(reason) { at = App.engine.deviceChoice; focus_at(reason); }
    function focus_again() { focus_at(ringed ? Qt.TabFocusReason : Qt.PopupFocusReason); }
    function focus_at(reason) {
        for (let i = 0; i < rows.count; ++i) {
            if (rows.itemAt(i)?.modelData.choice === at) return rows.itemAt(i).forceActiveFocus(reason);
        }
    }
    function step(from, by) {
        const row = rows.itemAt(from + by);
        if (row) row.forceActiveFocus(Qt.TabFocusReason);
    }

    Text {
        id: title
        text: qsTr("Computes on")
        color: Theme.muted
        font.pixelSize: Theme.caption
        bottomPadding: 4
    }
    Repeater {
        id: rows
        model: App.engine.devices
        EngineDeviceRow {
            required property int index
            width: devices.width
            onClicked: modelData.choice === "server" ? devices.server_wanted() : App.engine.use_device(modelData.choice)
            onActiveFocusChanged: {
                if (!activeFocus) return;
                devices.at = modelData.choice;
                devices.ringed = visualFocus;
                devices.reached(this);
            }
            Keys.onUpPressed: devices.step(index, -1)
            Keys.onDownPressed: devices.step(index, 1)
        }
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
        text: qsTr("An answer is being written: another choice stops it. What is written stays.")
        color: Theme.text
        font.pixelSize: Theme.caption
        wrapMode: Text.Wrap
        topPadding: 6
    }
}
