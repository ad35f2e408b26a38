// What the engine does now, and what computes.
import QtQuick
import Lavascope

Column {
    EngineState { id: now }
    spacing: 2
    Row {
        width: parent.width
        spacing: 8
        EngineLamp { engine: now; anchors.verticalCenter: parent.verticalCenter }
        Text {
            objectName: "engine_state"
            width: parent.width - 18
            text: now.line
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
        text: now.device
        textFormat: Text.PlainText
        color: Theme.muted
        font.pixelSize: Theme.caption
        wrapMode: Text.Wrap
    }
}
