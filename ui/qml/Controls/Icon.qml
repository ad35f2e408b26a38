// A line icon in a colour of the theme.
import QtQuick
import Lavascope
import QtQuick.Window

Image {
    id: icon
    required property string name
    property color color: Theme.text
    property int size: 20
    readonly property int drawn: Math.round(size * Math.min(1.35, Math.max(1, Theme.textScale)))
    width: drawn
    height: drawn
    sourceSize: Qt.size(Math.ceil(drawn * Screen.devicePixelRatio), Math.ceil(drawn * Screen.devicePixelRatio))
    source: name === "" ? "" : "image://icon/" + name + "/" + color.toString().slice(-6)
    Accessible.ignored: true
}
