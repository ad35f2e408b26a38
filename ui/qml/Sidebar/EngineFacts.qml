// What else the engine says of itself, folded until asked for.
import QtQuick
import Lavascope

Column {
    id: facts
    property bool unfolded: false
    signal reached(Item button)
    spacing: 4
    ActionButton {
        id: fold
        objectName: "engine_details"
        text: facts.unfolded ? qsTr("Hide details") : qsTr("Details")
        outlined: false
        iconName: facts.unfolded ? "down" : "right"
        Accessible.description: facts.unfolded ? qsTr("Unfolded") : qsTr("Folded")
        onClicked: facts.unfolded = !facts.unfolded
        onActiveFocusChanged: if (activeFocus) facts.reached(this)
    }
    Repeater {
        model: facts.unfolded ? App.engine.facts : []
        Item {
            id: fact
            required property var modelData
            width: facts.width
            height: Math.max(name.implicitHeight, value.implicitHeight)
            Text {
                id: name
                width: parent.width * 0.42
                text: fact.modelData.name
                color: Theme.muted
                font.pixelSize: Theme.caption
                wrapMode: Text.Wrap
            }
            Text {
                id: value
                x: parent.width * 0.44
                width: parent.width - x
                text: fact.modelData.value
                textFormat: Text.PlainText
                color: Theme.text
                font.pixelSize: Theme.caption
                wrapMode: Text.Wrap
            }
        }
    }
}
