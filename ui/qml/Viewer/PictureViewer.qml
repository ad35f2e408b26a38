// A picture over the whole window: wheel zooms at the pointer, drag moves or (R) draws a region, Esc closes; objects are listed beside it.
import QtQuick
import Lavascope

FocusScope {
    id: viewer
    objectName: "viewer"
    property var pictures: []
    property int shown: 0
    property Highlight highlight: null
    readonly property var picture: pictures[shown] ?? ({ width: 1, height: 1, boxes: [], name: "" })
    readonly property var boxes: picture.boxes ?? []
    readonly property bool side: width > 760
    property real zoom: 1  // 1: fits
    property real panX: 0
    property real panY: 0
    property bool drawing: false
    // Why no region can be asked about; empty if one can.
    readonly property string no_drawing: App.chat.readOnly !== "" ? App.chat.readOnly
        : App.engine.blind ? qsTr("%1 reads words only: it cannot see pictures").arg(App.engine.modelName) : ""
    signal closed()
    visible: false

    function open(all, number, box, lights) {
        pictures = all;
        shown = Math.max(0, all.findIndex(p => p.number === number));
        highlight = lights;
        draw(false);
        fit();
        visible = true;
        forceActiveFocus();
        if (box > 0 && boxes.length > 0) highlight.light(boxes[0].message, [box]);
    }
    function close() {
        draw(false);
        visible = false;
        if (highlight) highlight.clear();
        closed();
    }
    function fit() { zoom = 1; panX = 0; panY = 0; }
    function zoom_at(factor, x, y) {
        const next = Math.max(0.5, Math.min(32, zoom * factor));
        const cx = x - canvas.width / 2, cy = y - canvas.height / 2;
        panX = cx - (cx - panX) * next / zoom;
        panY = cy - (cy - panY) * next / zoom;
        zoom = next;
    }
    function step(by) {
        if (pictures.length < 2) return;
        shown = (shown + by + pictures.length) % pictures.length;
        drop_region();
        fit();
    }

    function draw(on) {
        drop_region();
        drawing = on && no_drawing === "";
    }
    function drop_region() {
        asker.close();
        pen.clear();
        if (visible) forceActiveFocus();
    }
    function ask(question) {
        const box = pen.box;
        if (App.chat.ask_region(picture.number, picture.sha, box, question)) close();
        else asker.trouble = qsTr("This picture can no longer be asked about here");
    }
    // Arrows and Enter draw too: a box in the middle, moved, resized with Shift, then asked about.
    function take_drawing_key(event) {
        const dx = event.key === Qt.Key_Right ? 1 : event.key === Qt.Key_Left ? -1 : 0, dy = event.key === Qt.Key_Down ? 1 : event.key === Qt.Key_Up ? -1 : 0;
        if (event.key === Qt.Key_Escape) pen.has_box ? drop_region() : draw(false);
        else if (event.key === Qt.Key_Return || event.key === Qt.Key_Enter) pen.has_box ? asker.open() : pen.in_the_middle();
        else if (dx !== 0 || dy !== 0) { if (pen.has_box) pen.nudge(dx, dy, !!(event.modifiers & Qt.ShiftModifier)); }
        else return false;
        return true;
    }

    Accessible.role: Accessible.Dialog
    Accessible.name: qsTr("Picture %1").arg(picture.name)
    Keys.onPressed: event => {
        if (drawing && take_drawing_key(event)) {
            event.accepted = true;
            return;
        }
        switch (event.key) {
        case Qt.Key_R:
            if (event.modifiers & (Qt.ControlModifier | Qt.AltModifier | Qt.MetaModifier)) return;
            draw(!drawing);
            break;
        case Qt.Key_Escape: close(); break;
        case Qt.Key_Left: step(-1); break;
        case Qt.Key_Right: step(1); break;
        case Qt.Key_Plus: case Qt.Key_Equal: zoom_at(1.25, canvas.width / 2, canvas.height / 2); break;
        case Qt.Key_Minus: zoom_at(0.8, canvas.width / 2, canvas.height / 2); break;
        case Qt.Key_0: fit(); break;
        default: return;
        }
        event.accepted = true;
    }

    Rectangle {
        anchors.fill: parent
        color: "#0C0D0F"
        MouseArea { anchors.fill: parent; acceptedButtons: Qt.AllButtons; hoverEnabled: true }
    }
    Item {
        id: canvas
        anchors { left: parent.left; top: bar.bottom; bottom: parent.bottom; right: parent.right }
        anchors.rightMargin: viewer.side && objects.visible ? objects.width : 0
        anchors.bottomMargin: viewer.side || !objects.visible ? 0 : objects.height
        clip: true
        readonly property real fitted: Math.min((width - 48) / Math.max(1, viewer.picture.width), (height - 48) / Math.max(1, viewer.picture.height), 4)
        readonly property real factor: fitted * viewer.zoom
        readonly property rect place: Qt.rect((width - viewer.picture.width * factor) / 2 + viewer.panX, (height - viewer.picture.height * factor) / 2 + viewer.panY,
                                              viewer.picture.width * factor, viewer.picture.height * factor)
        Image {
            x: canvas.place.x
            y: canvas.place.y
            width: canvas.place.width
            height: canvas.place.height
            source: viewer.visible && viewer.picture.sha ? "image://media/" + viewer.picture.sha : ""
            sourceSize: Qt.size(4096, 4096)
            asynchronous: true
            smooth: canvas.factor < 4
            Accessible.ignored: true
        }
        BoxOverlay {
            id: overlay
            anchors.fill: parent
            boxes: viewer.boxes
            pictureSize: Qt.size(viewer.picture.width, viewer.picture.height)
            pictureRect: canvas.place
            tagPixels: Theme.caption
            highlighted: viewer.highlight ? viewer.highlight.boxes : []
        }
        WheelHandler { onWheel: event => viewer.zoom_at(event.angleDelta.y > 0 ? 1.15 : 1 / 1.15, event.x, event.y) }
        DragHandler {
            target: null
            acceptedButtons: viewer.drawing ? Qt.MiddleButton : Qt.LeftButton | Qt.MiddleButton
            property real fromX: 0
            property real fromY: 0
            onActiveChanged: { fromX = viewer.panX; fromY = viewer.panY; }
            onTranslationChanged: { viewer.panX = fromX + translation.x; viewer.panY = fromY + translation.y; }
        }
        TapHandler { enabled: !viewer.drawing; onDoubleTapped: viewer.zoom === 1 ? viewer.zoom_at(1 / canvas.fitted, point.position.x, point.position.y) : viewer.fit() }
        HoverHandler {
            readonly property int number: viewer.drawing ? 0 : overlay.box_at(point.position.x, point.position.y)
            onNumberChanged: number > 0 ? viewer.highlight.light(viewer.boxes[0].message, [number]) : viewer.highlight.clear()
        }
        DrawLayer {
            id: pen
            objectName: "draw_layer"
            anchors.fill: parent
            visible: viewer.drawing
            place: canvas.place
            picture: Qt.size(viewer.picture.width, viewer.picture.height)
            onBegun: {
                asker.close();
                viewer.forceActiveFocus();
            }
            onDrawn: asker.open()
        }
        Rectangle {
            visible: viewer.drawing && !pen.has_box && !pen.dragging
            anchors { horizontalCenter: parent.horizontalCenter; bottom: parent.bottom; bottomMargin: 12 }
            width: hint.width + 28
            height: hint.implicitHeight + 14
            radius: Math.min(16, height / 2)
            color: Theme.raised
            border.width: Theme.lineWidth
            border.color: Theme.line
            Text {
                id: hint
                anchors.centerIn: parent
                width: Math.min(implicitWidth, canvas.width - 60)
                text: qsTr("Drag a box around what you want to ask about. Enter: a box in the middle.")
                color: Theme.text
                font.pixelSize: Theme.caption
                wrapMode: Text.Wrap
                horizontalAlignment: Text.AlignHCenter
            }
        }
        RegionAsker {
            id: asker
            beside: pen.shown
            onAsked: question => viewer.ask(question)
            onCancelled: viewer.drop_region()
        }
    }
    Rectangle {
        id: bar
        width: parent.width
        height: Math.max(48, Theme.controlHeight + 16)
        color: Theme.side
        Text {
            x: 16
            width: parent.width - tools.width - 40
            anchors.verticalCenter: parent.verticalCenter
            text: viewer.picture.name + "  " + viewer.picture.width + "×" + viewer.picture.height + (viewer.pictures.length > 1 ? "  " + (viewer.shown + 1) + "/" + viewer.pictures.length : "")
            textFormat: Text.PlainText
            color: Theme.text
            font.pixelSize: Theme.body
            elide: Text.ElideMiddle
        }
        Row {
            id: tools
            anchors.right: parent.right
            anchors.rightMargin: 8
            anchors.verticalCenter: parent.verticalCenter
            spacing: 4
            Text {
                text: Math.round(canvas.factor * 100) + " %"
                color: Theme.muted
                font.pixelSize: Theme.caption
                anchors.verticalCenter: parent.verticalCenter
                rightPadding: 8
            }
            IconButton {
                objectName: "draw_button"
                anchors.verticalCenter: parent.verticalCenter
                iconName: "region"
                tip: viewer.no_drawing !== "" ? viewer.no_drawing : viewer.drawing ? qsTr("Stop drawing (R)") : qsTr("Draw a region to ask about it (R)")
                ink: viewer.drawing ? Theme.onAccent : hovered || activeFocus ? Theme.text : Theme.muted
                ground: viewer.drawing ? Theme.accent : down || hovered ? Theme.hover : "transparent"
                opacity: viewer.no_drawing === "" ? 1 : 0.4
                Accessible.checkable: true
                Accessible.checked: viewer.drawing
                onClicked: viewer.draw(!viewer.drawing)
            }
            IconButton { visible: viewer.pictures.length > 1; iconName: "left"; anchors.verticalCenter: parent.verticalCenter; tip: qsTr("Previous picture"); onClicked: viewer.step(-1) }
            IconButton { visible: viewer.pictures.length > 1; iconName: "right"; anchors.verticalCenter: parent.verticalCenter; tip: qsTr("Next picture"); onClicked: viewer.step(1) }
            ActionButton { text: qsTr("Fit"); onClicked: viewer.fit() }
            IconButton { iconName: "close"; anchors.verticalCenter: parent.verticalCenter; tip: qsTr("Close (Esc)"); onClicked: viewer.close() }
        }
    }
    ObjectList {
        id: objects
        visible: viewer.boxes.length > 0
        boxes: viewer.boxes
        picture: viewer.picture
        highlight: viewer.highlight
        width: viewer.side ? 300 : parent.width
        height: viewer.side ? parent.height - bar.height : Math.min(180, parent.height * 0.35)
        anchors.right: parent.right
        anchors.bottom: parent.bottom
    }
}
