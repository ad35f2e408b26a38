// Asks once per host before a link of an answer is opened.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic
import QtQuick.Templates as T

Popup {
    id: pop
    property string link: ""
    function ask(url) {
        link = url;
        if (Desktop.trusts(url)) Desktop.open_link(url);
        else open();
    }
    parent: T.Overlay.overlay
    anchors.centerIn: parent
    modal: true
    width: Math.min(360 * Math.max(1, Theme.textScale * 0.8), parent ? parent.width - 32 : 360)
    padding: 16
    focus: true
    background: Rectangle { radius: 12; color: Theme.raised; border.width: Theme.lineWidth; border.color: Theme.line }
    contentItem: Column {
        objectName: "link_question"
        spacing: 12
        Text {
            width: pop.availableWidth
            wrapMode: Text.WrapAnywhere
            textFormat: Text.PlainText
            text: qsTr("Open %1 in your browser?").arg(Desktop.host_of(pop.link))
            color: Theme.text
            font.pixelSize: Theme.body
            font.weight: Font.DemiBold
        }
        Text {
            width: pop.availableWidth
            wrapMode: Text.WrapAnywhere
            textFormat: Text.PlainText
            maximumLineCount: 4
            elide: Text.ElideRight
            text: pop.link
            color: Theme.muted
            font.pixelSize: Theme.caption
        }
        Row {
            spacing: 8
            ActionButton { text: qsTr("Open"); accent: true; onClicked: { Desktop.open_link(pop.link); pop.close(); } }
            ActionButton { text: qsTr("Copy address"); onClicked: { Desktop.copy(pop.link); pop.close(); } }
        }
    }
}
