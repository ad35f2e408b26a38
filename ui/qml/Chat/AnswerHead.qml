// Who answers: glyph and name.
import QtQuick
import Lavascope

Item {
    required property Item row
    implicitHeight: Math.max(20, name.implicitHeight)
    Icon { id: glyph; name: "mark"; color: Theme.accent; size: 20; anchors.verticalCenter: parent.verticalCenter }
    Text {
        id: name
        x: glyph.width + 8
        anchors.verticalCenter: glyph.verticalCenter
        text: parent.row.entry.model || "Lavascope"
        textFormat: Text.PlainText
        color: Theme.muted
        font.pixelSize: Theme.caption
    }
}
