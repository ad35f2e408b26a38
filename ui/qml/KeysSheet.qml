// The list of keys.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

Popup {
    id: sheet
    anchors.centerIn: parent
    modal: true
    focus: true
    padding: 24
    width: Math.min(520 * Math.max(1, Theme.textScale * 0.8), parent ? parent.width - 32 : 520)
    height: Math.min(implicitHeight, parent ? parent.height - 32 : implicitHeight)
    background: Rectangle { radius: 16; color: Theme.raised; border.width: Theme.lineWidth; border.color: Theme.line }
    contentItem: Flickable {
        implicitHeight: body.implicitHeight
        contentHeight: body.implicitHeight
        clip: true
        boundsBehavior: Flickable.StopAtBounds
        ScrollBar.vertical: ThinScroll {}
        Column {
            id: body
            width: parent.width
            spacing: 10
            Text { text: qsTr("Keys"); color: Theme.text; font.pixelSize: Theme.section; font.weight: Font.DemiBold }
            KeyList { width: parent.width }
        }
    }
}
