// What a question points at: the region enlarged, and where on the picture it lies.
import QtQuick
import Lavascope

Row {
    id: pair
    objectName: "pointed"
    required property var picture
    required property Highlight highlight
    required property real most
    readonly property var region: picture.boxes[0]
    readonly property real regionWidth: region.x2 - region.x1
    readonly property real regionHeight: region.y2 - region.y1
    readonly property real tall: 120
    readonly property bool enlarged: whole.width + spacing + crop.width <= most
    signal wanted()
    spacing: 8
    GroundedPicture {
        id: whole
        readonly property real fit: Math.min(Math.min(200, pair.most) / Math.max(1, pair.picture.width), pair.tall / Math.max(1, pair.picture.height))
        picture: pair.picture
        highlight: pair.highlight
        width: Math.max(48, pair.picture.width * fit)
        height: Math.max(32, pair.picture.height * fit)
        onWanted: pair.wanted()
    }
    Rectangle {
        id: crop
        anchors.verticalCenter: whole.verticalCenter
        readonly property real fit: Math.min(8, 180 / pair.regionWidth, pair.tall / pair.regionHeight)
        visible: pair.enlarged
        width: Math.max(24, pair.regionWidth * fit)
        height: Math.max(24, pair.regionHeight * fit)
        radius: 4
        clip: true
        color: Theme.card
        Image {
            x: -pair.region.x1 * crop.fit
            y: -pair.region.y1 * crop.fit
            width: pair.picture.width * crop.fit
            height: pair.picture.height * crop.fit
            source: pair.picture.sha ? "image://media/" + pair.picture.sha : ""
            sourceSize: Qt.size(1600, 1600)
            asynchronous: true
            Accessible.ignored: true
        }
    }
}
