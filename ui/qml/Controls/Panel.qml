// A card.
import QtQuick

Rectangle {
    color: Theme.card
    radius: 12
    border.width: Theme.lineWidth
    border.color: Theme.line
}
