// A name and what belongs to it, side by side.
import QtQuick
import Lavascope

Item {
    id: pair
    required property string name
    required property string value
    property real share: 0.42  // of the width, for the name
    property bool keys: false  // the name is what is pressed
    implicitHeight: Math.max(left.implicitHeight, right.implicitHeight)
    Text {
        id: left
        width: parent.width * pair.share
        text: pair.name
        textFormat: Text.PlainText
        color: pair.keys ? Theme.text : Theme.muted
        font.family: pair.keys ? Theme.mono : Qt.application.font.family
        font.pixelSize: Theme.caption
        wrapMode: Text.Wrap
    }
    Text {
        id: right
        x: parent.width * (pair.share + 0.02)
        width: parent.width - x
        text: pair.value
        textFormat: Text.PlainText
        color: pair.keys ? Theme.muted : Theme.text
        font.pixelSize: pair.keys ? Theme.body : Theme.caption
        wrapMode: Text.Wrap
    }
}
