// Draws one box on a picture, by dragging or with the arrows. The box is in pixels of the picture, on whole pixels.
import QtQuick
import Lavascope

Item {
    id: layer
    required property rect place  // of the picture in this item
    required property size picture
    property rect box: Qt.rect(0, 0, 0, 0)
    readonly property bool has_box: box.width > 0
    readonly property bool dragging: area.pressed
    readonly property real factor: place.width / Math.max(1, picture.width)
    readonly property rect shown: Qt.rect(place.x + box.x * factor, place.y + box.y * factor, box.width * factor, box.height * factor)
    readonly property real smallest: 6  // on the screen; less was a click
    signal begun()
    signal drawn()

    function clear() { box = Qt.rect(0, 0, 0, 0); }
    // Two points of this item -> the whole pixels between them, inside the picture.
    function span(x1, y1, x2, y2) {
        const across = x => Math.max(0, Math.min(picture.width, (x - place.x) / factor)), down = y => Math.max(0, Math.min(picture.height, (y - place.y) / factor));
        const left = Math.floor(across(Math.min(x1, x2))), top = Math.floor(down(Math.min(y1, y2)));
        return Qt.rect(left, top, Math.ceil(across(Math.max(x1, x2))) - left, Math.ceil(down(Math.max(y1, y2))) - top);
    }
    function in_the_middle() {
        const left = Math.max(0, place.x), top = Math.max(0, place.y), right = Math.min(width, place.x + place.width), bottom = Math.min(height, place.y + place.height);
        box = span(left + (right - left) / 4, top + (bottom - top) / 4, right - (right - left) / 4, bottom - (bottom - top) / 4);
    }
    // Moves the box, or its lower right corner, by a fiftieth of the picture.
    function nudge(dx, dy, corner) {
        const step = Math.max(1, Math.round(Math.max(picture.width, picture.height) / 50));
        const within = (low, value, high) => Math.max(low, Math.min(high, value));
        if (corner) box = Qt.rect(box.x, box.y, within(1, box.width + dx * step, picture.width - box.x), within(1, box.height + dy * step, picture.height - box.y));
        else box = Qt.rect(within(0, box.x + dx * step, picture.width - box.width), within(0, box.y + dy * step, picture.height - box.height), box.width, box.height);
    }

    MouseArea {
        id: area
        anchors.fill: parent
        cursorShape: Qt.CrossCursor
        preventStealing: true
        property point from
        property bool far: false
        onPressed: event => {
            from = Qt.point(event.x, event.y);
            far = false;
            layer.clear();
            layer.begun();
        }
        onPositionChanged: event => {
            far = far || (Math.abs(event.x - from.x) >= layer.smallest && Math.abs(event.y - from.y) >= layer.smallest);
            if (far) layer.box = layer.span(from.x, from.y, event.x, event.y);
        }
        onReleased: {
            if (layer.box.width < 2 || layer.box.height < 2 || layer.shown.width < layer.smallest || layer.shown.height < layer.smallest) layer.clear();
            if (layer.has_box) layer.drawn();
        }
        onCanceled: layer.clear()
    }
    BoxOverlay {
        anchors.fill: parent
        visible: layer.has_box
        boxes: layer.has_box ? [{ label: "", x1: layer.box.x, y1: layer.box.y, x2: layer.box.x + layer.box.width, y2: layer.box.y + layer.box.height, number: 1, drawn: true }] : []
        pictureSize: layer.picture
        pictureRect: layer.place
    }
}
