// Pictures that go with the question; Alt+Left and Alt+Right change their order.
import QtQuick
import Lavascope

ListView {
    id: chips_view
    required property QtObject chips
    implicitHeight: 84
    orientation: ListView.Horizontal
    spacing: 8
    leftMargin: 6
    rightMargin: 6
    clip: true
    model: chips
    boundsBehavior: Flickable.StopAtBounds
    Accessible.role: Accessible.List
    Accessible.name: qsTr("Pictures")
    move: Transition { NumberAnimation { properties: "x"; duration: Theme.slide; easing.type: Easing.OutQuad } }
    moveDisplaced: Transition { NumberAnimation { properties: "x"; duration: Theme.slide; easing.type: Easing.OutQuad } }
    delegate: Chip {
        count: chips_view.count
        onRemoved: chips_view.chips.remove(index)
        onMoved: by => chips_view.chips.move(index, by)
    }
}
