// A picture with the boxes of the answer on it. Pointing at a box lights its phrase; a click opens the picture.
import QtQuick
import Lavascope

FocusScope {
    id: tile
    objectName: "picture"
    required property var picture
    required property Highlight highlight
    readonly property var boxes: picture.boxes ?? []
    readonly property bool drawn: boxes.length > 0 && !!boxes[0].drawn  // the boxes are regions that the user drew
    readonly property real factor: Math.min(width / Math.max(1, picture.width), height / Math.max(1, picture.height))
    signal wanted(int number)
    activeFocusOnTab: true
    Accessible.role: Accessible.Graphic
    Accessible.name: picture.name + (drawn ? qsTr(", with the region asked about") : boxes.length > 0 ? qsTr(", %1 objects marked").arg(boxes.length) : "")
    Accessible.onPressAction: wanted(0)
    Keys.onReturnPressed: wanted(0)
    Keys.onSpacePressed: wanted(0)
    Rectangle {
        anchors.fill: parent
        radius: 8
        color: Theme.card
        Text {
            anchors.centerIn: parent
            width: parent.width - 16
            visible: image.status === Image.Error
            text: qsTr("This picture is missing")
            color: Theme.muted
            font.pixelSize: Theme.caption
            wrapMode: Text.Wrap
            horizontalAlignment: Text.AlignHCenter
        }
    }
    Image {
        id: image
        anchors.fill: parent
        source: tile.picture.sha ? "image://media/" + tile.picture.sha : ""
        sourceSize: Qt.size(720, 560)
        fillMode: Image.PreserveAspectFit
        asynchronous: true
        Accessible.ignored: true
    }
    Loader {
        anchors.fill: parent
        active: tile.boxes.length > 0
        sourceComponent: BoxOverlay {
            id: overlay
            objectName: "overlay"
            boxes: tile.boxes
            pictureSize: Qt.size(tile.picture.width, tile.picture.height)
            pictureRect: Qt.rect((width - tile.picture.width * tile.factor) / 2, (height - tile.picture.height * tile.factor) / 2,
                                 tile.picture.width * tile.factor, tile.picture.height * tile.factor)
            highlighted: tile.boxes.length > 0 && tile.highlight.message === tile.boxes[0].message ? tile.highlight.boxes : []
            tags: width >= 160
            HoverHandler {
                id: hover
                enabled: !tile.drawn
                property int number: overlay.box_at(point.position.x, point.position.y)
                onNumberChanged: number > 0 && hovered ? tile.highlight.light(tile.boxes[0].message, [number]) : tile.highlight.clear()
                onHoveredChanged: if (!hovered) tile.highlight.clear()
            }
            TapHandler { onTapped: event => tile.wanted(tile.drawn ? 0 : overlay.box_at(event.position.x, event.position.y)) }
        }
    }
    HoverHandler { cursorShape: Qt.PointingHandCursor }
    TapHandler { enabled: tile.boxes.length === 0; onTapped: tile.wanted(0) }
    FocusRing { target: tile }
}
