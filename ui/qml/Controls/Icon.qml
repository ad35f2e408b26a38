// A line icon in a colour of the theme.
import QtQuick
import Lavascope
import QtQuick.Window

Image {
    id: icon
    required property string name
    property color color: Theme.text
    property int size: 20
    width: size
    height: size
    sourceSize: Qt.size(Math.ceil(size * Screen.devicePixelRatio), Math.ceil(size * Screen.devicePixelRatio))
    source: name === "" ? "" : "image://icon/" + name + "/" + color.toString().slice(-6)
    Accessible.ignored: true
}
