// The objects of a picture in words: the text alternative of the boxes.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

Rectangle {
    id: objects
    required property var boxes
    required property var picture
    required property Highlight highlight
    color: Theme.side
    function place_of(box) {
        const x = (box.x1 + box.x2) / 2 / Math.max(1, picture.width), y = (box.y1 + box.y2) / 2 / Math.max(1, picture.height);
        const row = y < 1 / 3 ? qsTr("upper") : y > 2 / 3 ? qsTr("lower") : "", column = x < 1 / 3 ? qsTr("left") : x > 2 / 3 ? qsTr("right") : "";
        return row === "" && column === "" ? qsTr("centre") : (row + " " + column).trim();
    }
    Text {
        id: head
        x: 16
        y: 14
        text: qsTr("Objects")
        color: Theme.text
        font.pixelSize: Theme.body
        font.weight: Font.DemiBold
    }
    ListView {
        id: list
        anchors { fill: parent; topMargin: head.height + 24 }
        clip: true
        model: objects.boxes
        activeFocusOnTab: true
        keyNavigationEnabled: true
        currentIndex: -1
        Accessible.role: Accessible.List
        Accessible.name: head.text
        ScrollBar.vertical: ThinScroll {}
        onActiveFocusChanged: if (activeFocus && currentIndex < 0) currentIndex = 0
        onCurrentIndexChanged: if (activeFocus && currentIndex >= 0) objects.highlight.light(objects.boxes[currentIndex].message, [objects.boxes[currentIndex].number])
        delegate: Item {
            id: line
            required property int index
            required property var modelData
            readonly property bool lit: objects.highlight && objects.highlight.boxes.includes(modelData.number)
            width: list.width
            height: Math.max(40, words.implicitHeight + 12)
            Accessible.role: Accessible.ListItem
            Accessible.name: qsTr("%1 of %2, %3, %4").arg(index + 1).arg(list.count).arg(modelData.label).arg(objects.place_of(modelData))
            Rectangle {
                anchors.fill: parent
                anchors.leftMargin: 8
                anchors.rightMargin: 8
                radius: 6
                color: line.lit ? Theme.hover : "transparent"
                border.width: list.activeFocus && line.ListView.isCurrentItem ? 2 : 0
                border.color: Theme.accent
            }
            Rectangle {
                x: 18
                width: 20
                height: 20
                radius: 4
                anchors.verticalCenter: parent.verticalCenter
                color: Theme.label_color(line.modelData.label)
                Text { anchors.centerIn: parent; text: line.modelData.number; color: Theme.label_text(line.modelData.label); font.pixelSize: 11; font.bold: true }
            }
            Column {
                id: words
                x: 50
                width: parent.width - 66
                anchors.verticalCenter: parent.verticalCenter
                Text { width: parent.width; text: line.modelData.label; textFormat: Text.PlainText; color: Theme.text; font.pixelSize: Theme.body; elide: Text.ElideRight }
                Text {
                    width: parent.width
                    text: objects.place_of(line.modelData) + " · " + Math.round(line.modelData.x2 - line.modelData.x1) + "×" + Math.round(line.modelData.y2 - line.modelData.y1) + " px"
                    color: Theme.muted
                    font.pixelSize: Theme.caption
                    elide: Text.ElideRight
                }
            }
            HoverHandler { onHoveredChanged: if (hovered) objects.highlight.light(line.modelData.message, [line.modelData.number]) }
        }
    }
}
