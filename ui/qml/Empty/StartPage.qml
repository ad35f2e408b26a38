// An empty chat: mark, question, room for the composer, and examples that work with one click.
import QtQuick
import Lavascope

Item {
    id: start
    required property real column
    required property Item composer
    readonly property real head: 40 + 12 + greeting.implicitHeight + 20
    readonly property bool roomy: height > head + composer.height + cards.contentHeight + 60
    readonly property real composerY: Math.max(head + 12, Math.min(height * 0.38, height - composer.height - cards.contentHeight - 44))

    Column {
        spacing: 12
        width: start.width
        y: start.composerY - start.head
        Icon { name: "mark"; size: 40; color: Theme.accent; anchors.horizontalCenter: parent.horizontalCenter }
        Text {
            id: greeting
            width: Math.min(start.column, start.width - 24)
            anchors.horizontalCenter: parent.horizontalCenter
            horizontalAlignment: Text.AlignHCenter
            wrapMode: Text.Wrap
            text: qsTr("What are we looking at?")
            color: Theme.text
            font.pixelSize: Theme.hero
            font.weight: Font.DemiBold
            Accessible.role: Accessible.Heading
        }
    }

    Flickable {
        id: cards
        y: start.composerY + start.composer.height + 20
        width: start.width
        height: Math.max(0, start.height - y)
        contentHeight: body.item ? body.item.implicitHeight + 12 : 0
        clip: true
        boundsBehavior: Flickable.StopAtBounds
        Loader {
            id: body
            width: start.column
            x: (start.width - width) / 2
            sourceComponent: App.engine.modelMissing ? missing : examples
        }
    }
    Component {
        id: missing
        MissingModelCard {}
    }
    Component {
        id: examples
        ExampleCards {}
    }
}
