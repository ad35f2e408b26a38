// A card.
import QtQuick
import Lavascope

Rectangle {
    color: Theme.card
    radius: 12
    border.width: Theme.lineWidth
    border.color: Theme.line
}
