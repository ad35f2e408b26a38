// A few short choices side by side, one of which holds. One stop of Tab; arrows choose.
import QtQuick
import Lavascope
import QtQuick.Templates as T

Flow {
    id: segments
    required property string name
    required property var rows  // of choice and name
    required property string current
    signal chosen(string choice)
    spacing: 4
    Accessible.role: Accessible.Grouping
    Accessible.name: name
    function step(from, by) {
        const button = items.itemAt(from + by);
        if (!button) return;
        button.forceActiveFocus(Qt.TabFocusReason);
        chosen(button.entry.choice);
    }
    Repeater {
        id: items
        model: segments.rows
        T.RadioButton {
            id: button
            required property var modelData
            required property int index
            readonly property var entry: modelData
            readonly property bool current: segments.current === entry.choice
            objectName: "segment"
            text: entry.name
            checkable: false
            autoExclusive: false
            hoverEnabled: true
            focusPolicy: current || activeFocus ? Qt.TabFocus : Qt.NoFocus
            implicitHeight: Math.max(Theme.controlHeight, words.implicitHeight + 8)
            implicitWidth: words.implicitWidth + 24
            Accessible.role: Accessible.RadioButton
            Accessible.name: text
            Accessible.checkable: true
            Accessible.checked: current
            Accessible.onPressAction: clicked()
            onClicked: segments.chosen(entry.choice)
            Keys.onReturnPressed: clicked()
            Keys.onEnterPressed: clicked()
            Keys.onLeftPressed: segments.step(index, -1)
            Keys.onRightPressed: segments.step(index, 1)
            contentItem: Item {
                Text {
                    id: words
                    anchors.centerIn: parent
                    text: button.text
                    color: button.current ? Theme.onAccent : Theme.text
                    font.pixelSize: Theme.body
                    font.weight: button.current ? Font.DemiBold : Font.Normal
                }
            }
            background: Rectangle {
                radius: 6
                color: button.current ? Theme.accent : button.down || button.hovered ? Theme.hover : "transparent"
                border.width: button.current ? 0 : Theme.lineWidth
                border.color: Theme.control
                FocusRing { target: button }
            }
        }
    }
}
