// Below the words: add pictures, what they cost, send or stop.
import QtQuick
import Lavascope
import QtQuick.Templates as T

Item {
    id: tools
    signal add()
    signal send()
    signal stop()
    implicitHeight: 36
    IconButton {
        id: plus
        x: 2
        anchors.verticalCenter: parent.verticalCenter
        iconName: "plus"
        tip: qsTr("Add pictures")
        radius: 16
        onClicked: tools.add()
    }
    Text {
        anchors.left: plus.right
        anchors.leftMargin: 8
        anchors.right: round.left
        anchors.rightMargin: 8
        anchors.verticalCenter: parent.verticalCenter
        objectName: "composer_note"
        readonly property QtObject composer: App.chat.composer
        readonly property bool blind: composer.count > 0 && App.engine.blind
        text: App.chat.readOnly !== "" ? App.chat.readOnly
              : composer.problem !== "" ? composer.problem
              : blind ? qsTr("%1 reads words only: it cannot see pictures").arg(App.engine.modelName)
              : composer.tokens > 0 ? qsTr("Pictures take %1 tokens").arg(composer.tokens)
              : App.engine.state === "failed" ? (App.engine.remote ? qsTr("%1 cannot be reached").arg(App.engine.server) : App.engine.modelMissing ? qsTr("No model yet") : qsTr("The engine has stopped"))
              : App.engine.unloaded ? qsTr("The model is unloaded; it loads when you ask")
              : App.engine.state === "loading" ? qsTr("The model is loading; you can ask already") : ""
        color: composer.problem !== "" ? Theme.error : blind || App.chat.readOnly !== "" ? Theme.warn : Theme.faint
        font.pixelSize: Theme.caption
        elide: Text.ElideRight
    }
    T.Button {
        id: round
        objectName: "send_button"
        readonly property bool stops: App.chat.busy
        anchors.right: parent.right
        width: 36
        height: 36
        hoverEnabled: true
        focusPolicy: Qt.TabFocus
        enabled: stops || App.chat.composer.ready
        Accessible.name: stops ? qsTr("Stop") : qsTr("Send")
        onClicked: stops ? tools.stop() : tools.send()
        Keys.onReturnPressed: clicked()
        contentItem: Item {
            Icon {
                anchors.centerIn: parent
                name: round.stops ? "stop" : "send"
                color: round.enabled ? Theme.onAccent : Theme.faint
            }
        }
        background: Rectangle {
            radius: 18
            color: round.enabled ? (round.hovered ? Qt.lighter(Theme.accent, 1.08) : Theme.accent) : Theme.hover
            border.width: round.enabled ? 0 : Theme.lineWidth
            border.color: Theme.line
            FocusRing { target: round; radius: 22 }
        }
        Loader {
            active: round.hovered
            sourceComponent: Tip { text: round.stops ? qsTr("Stop (Esc)") : qsTr("Send (Enter)"); visible: round.hovered }
        }
    }
}
