// Which boxes are lit, by the pointer or the keyboard, in words and on pictures alike.
import QtQuick

QtObject {
    property var message: 0
    property var boxes: []
    function light(message, boxes) { this.message = message; this.boxes = boxes; }
    function clear() { message = 0; boxes = []; }
}
