// The groups of the settings: a list at the left, or a line of buttons above where there is no room. One stop of Tab; arrows choose.
import QtQuick
import Lavascope
import QtQuick.Templates as T

Flow {
    id: categories
    required property var groups
    required property string chosen
    required property bool upright  // below each other
    readonly property bool seeking: App.query !== ""
    signal picked(string key)
    spacing: upright ? 2 : 4
    flow: Flow.LeftToRight
    Accessible.role: Accessible.PageTabList
    Accessible.name: qsTr("Groups of settings")
    function focus_chosen(reason) {
        for (let i = 0; i < items.count; ++i) if (items.itemAt(i).current) items.itemAt(i).forceActiveFocus(reason);
    }
    function step(from, by) {
        const button = items.itemAt(from + by);
        if (!button) return;
        picked(button.modelData.key);
        button.forceActiveFocus(Qt.TabFocusReason);
    }
    Repeater {
        id: items
        model: categories.groups
        T.TabButton {
            id: button
            required property var modelData
            required property int index
            readonly property bool current: categories.chosen === modelData.key
            readonly property bool empty: categories.seeking && modelData.hits === 0
            objectName: "category_" + modelData.key
            text: modelData.name
            checkable: false
            autoExclusive: false
            width: categories.upright ? categories.width : implicitWidth
            implicitWidth: words.x + words.implicitWidth + 14
            implicitHeight: Math.max(36, Theme.controlHeight + 4)
            hoverEnabled: true
            focusPolicy: current || activeFocus ? Qt.TabFocus : Qt.NoFocus
            opacity: empty ? 0.5 : 1
            Accessible.role: Accessible.PageTab
            Accessible.name: categories.seeking ? qsTr("%1, %2 found").arg(text).arg(modelData.hits) : text
            Accessible.selectable: true
            Accessible.selected: current
            Accessible.onPressAction: clicked()
            onClicked: categories.picked(modelData.key)
            Keys.onReturnPressed: clicked()
            Keys.onEnterPressed: clicked()
            Keys.onUpPressed: categories.step(index, -1)
            Keys.onDownPressed: categories.step(index, 1)
            Keys.onLeftPressed: categories.step(index, -1)
            Keys.onRightPressed: categories.step(index, 1)
            contentItem: Item {
                Icon {
                    id: mark
                    x: 10
                    anchors.verticalCenter: parent.verticalCenter
                    name: button.modelData.icon
                    size: 18
                    color: button.current && !categories.seeking ? Theme.accent : Theme.muted
                }
                Text {
                    id: words
                    x: mark.x + mark.width + 10
                    width: Math.min(implicitWidth, parent.width - x - (count.visible ? count.width + 14 : 6))
                    anchors.verticalCenter: parent.verticalCenter
                    text: button.text
                    color: Theme.text
                    font.pixelSize: Theme.body
                    font.weight: button.current && !categories.seeking ? Font.DemiBold : Font.Normal
                    elide: Text.ElideRight
                }
                Text {
                    id: count
                    visible: categories.seeking && categories.upright
                    anchors.right: parent.right
                    anchors.rightMargin: 10
                    anchors.verticalCenter: parent.verticalCenter
                    text: button.modelData.hits
                    color: Theme.faint
                    font.pixelSize: Theme.caption
                    Accessible.ignored: true
                }
            }
            background: Rectangle {
                radius: 6
                color: button.current && !categories.seeking ? Theme.raised : button.down || button.hovered ? Theme.hover : "transparent"
                border.width: button.current && !categories.seeking ? Theme.lineWidth : 0
                border.color: Theme.line
                FocusRing { target: button; anchors.margins: 0; radius: 6 }
            }
        }
    }
}
