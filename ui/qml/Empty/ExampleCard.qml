import QtQuick
import Lavascope
import QtQuick.Templates as T

T.Button {
    id: card
    objectName: "example"
    required property string iconName
    required property string title
    required property string hint
    implicitHeight: Math.max(76, words.implicitHeight + 28)
    hoverEnabled: true
    focusPolicy: Qt.TabFocus
    Accessible.name: title + ". " + hint
    contentItem: Item {
        Icon { x: 14; y: words.y + 1; name: card.iconName; color: Theme.accent }
        Column {
            id: words
            x: 46
            anchors.verticalCenter: parent.verticalCenter
            width: parent.width - 58
            spacing: 2
            Text {
                width: parent.width
                text: card.title
                color: Theme.text
                font.pixelSize: Theme.body
                font.weight: Font.DemiBold
                elide: Text.ElideRight
            }
            Text {
                width: parent.width
                text: card.hint
                color: Theme.muted
                font.pixelSize: Theme.caption
                wrapMode: Text.Wrap
                maximumLineCount: 2
                elide: Text.ElideRight
            }
        }
    }
    background: Panel {
        color: card.down || card.hovered ? Theme.hover : Theme.card
        FocusRing { target: card; radius: 16 }
    }
    HoverHandler { cursorShape: Qt.PointingHandCursor }
    Keys.onReturnPressed: clicked()
}
