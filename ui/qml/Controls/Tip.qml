import QtQuick
import Lavascope
import QtQuick.Templates as T

T.ToolTip {
    id: tip
    delay: 500
    timeout: 8000
    margins: 8
    padding: 8
    x: parent ? (parent.width - implicitWidth) / 2 : 0
    y: -implicitHeight - 6
    implicitWidth: Math.min(contentItem.implicitWidth + 16, 320)
    implicitHeight: contentItem.implicitHeight + 12
    closePolicy: T.Popup.CloseOnEscape | T.Popup.CloseOnPressOutsideParent
    contentItem: Text {
        text: tip.text
        textFormat: Text.PlainText
        wrapMode: Text.Wrap
        color: Theme.text
        font.pixelSize: Theme.caption
        verticalAlignment: Text.AlignVCenter
    }
    background: Rectangle {
        color: Theme.raised
        radius: 6
        border.width: Theme.lineWidth
        border.color: Theme.line
    }
}
