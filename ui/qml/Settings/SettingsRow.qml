// What can be set: its name, what it does, and its control at the right, or below where there is no room. One that was changed shows a dot and a way back.
import QtQuick
import Lavascope

Item {
    id: row
    required property string title
    property string help: ""
    property string words: ""      // further ones that find it
    property bool changed: false
    property bool offered: true
    property bool wide: false      // the control has a line of its own
    property color swatch: "transparent"
    default property alias control: slot.data
    signal reset()
    readonly property bool keepWhole: true
    readonly property string group: parent?.parent?.name ?? ""
    readonly property bool found: offered && (App.query === "" || App.finds([group, title, help, words].join(" ")))
    readonly property bool below: wide || slot.needed > width * 0.55
    objectName: "settings_row"
    visible: found
    width: parent ? parent.width : 0
    implicitHeight: (below && slot.height > 0 ? about.height + 8 + slot.height : Math.max(about.height, slot.height)) + 24
    Accessible.role: Accessible.Grouping
    Accessible.name: changed ? qsTr("%1, changed").arg(title) : title
    Accessible.description: help

    Column {
        id: about
        y: row.below ? 12 : Math.max(12, (row.height - height) / 2)
        width: row.below ? row.width : row.width - slot.width - 24
        spacing: 2
        Item {
            width: parent.width
            height: name.implicitHeight
            Rectangle {
                id: patch
                visible: row.swatch.a > 0
                y: (firstLine.height - height) / 2
                width: 10
                height: 10
                radius: 2
                color: row.swatch
            }
            FontMetrics { id: firstLine; font: name.font }
            FoundText {
                id: name
                x: patch.visible ? 18 : 0
                width: Math.min(implicitWidth, parent.width - x - (row.changed ? 48 : 0))
                words: row.title
                font.weight: Font.Medium
            }
            Rectangle {
                id: dot
                objectName: "changed_dot"
                visible: row.changed
                x: name.x + name.width + 8
                y: (firstLine.height - height) / 2
                width: 6
                height: 6
                radius: 3
                color: Theme.accent
            }
            IconButton {
                id: back
                objectName: "reset"
                visible: row.changed
                x: dot.x + 12
                y: (firstLine.height - height) / 2
                compact: true
                iconSize: 16
                iconName: "undo"
                tip: qsTr("Back to how it was: %1").arg(row.title)
                onClicked: row.reset()
            }
        }
        FoundText {
            width: parent.width
            visible: row.help !== ""
            words: row.help
            color: Theme.muted
            font.pixelSize: Theme.caption
        }
    }
    Flow {
        id: slot
        readonly property real needed: {
            let sum = 0;
            for (let i = 0; i < children.length; ++i) if (children[i].visible) sum += (sum > 0 ? spacing : 0) + children[i].implicitWidth;
            return sum;
        }
        spacing: 8
        width: row.below ? row.width : Math.min(needed, row.width)
        x: row.below ? 0 : row.width - width
        y: row.below ? about.y + about.height + 8 : (row.height - height) / 2
    }
    Rectangle {
        anchors.bottom: parent.bottom
        width: parent.width
        height: Theme.lineWidth
        color: Theme.line
    }
}
