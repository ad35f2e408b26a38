// A menu in the look of the theme; fill it with MenuRow.
import QtQuick
import Lavascope
import QtQuick.Templates as T

T.Menu {
    id: menu
    implicitWidth: 220
    implicitHeight: contentItem.implicitHeight + 12
    margins: 8
    padding: 6
    overlap: 1
    delegate: MenuRow {}
    contentItem: ListView {
        implicitHeight: contentHeight
        model: menu.contentModel
        interactive: contentHeight > height
        clip: true
        currentIndex: menu.currentIndex
    }
    background: Rectangle {
        color: Theme.raised
        radius: 10
        border.width: Theme.lineWidth
        border.color: Theme.line
    }
}
