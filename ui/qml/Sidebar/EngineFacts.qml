// What else the engine says of itself, folded until asked for.
import QtQuick
import Lavascope

Column {
    id: facts
    property bool unfolded: false
    spacing: 4
    ActionButton {
        id: fold
        objectName: "engine_details"
        text: facts.unfolded ? qsTr("Hide details") : qsTr("Details")
        outlined: false
        iconName: facts.unfolded ? "down" : "right"
        Accessible.description: facts.unfolded ? qsTr("Unfolded") : qsTr("Folded")
        onClicked: facts.unfolded = !facts.unfolded
    }
    Repeater {
        model: facts.unfolded ? App.engine.facts : []
        PairRow {
            required property var modelData
            width: facts.width
            name: modelData.name
            value: modelData.value
        }
    }
}
