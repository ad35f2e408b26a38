// Short messages at the lower left: three at most; errors stay until closed.
import QtQuick
import Lavascope

Column {
    id: toasts
    spacing: 8
    function show(text, action, then, lasting) {
        for (let i = list.count - 1; i >= 0; --i) {
            if (lasting && list.get(i).text === text) list.remove(i);  // the same trouble once more
        }
        if (list.count === 3) list.remove(0);
        list.append({ text: text, action: action ?? "", lasting: lasting ?? false, key: ++toasts.next });
        toasts.actions[toasts.next] = then;
    }
    property int next: 0
    property var actions: ({})
    function close(key) {
        for (let i = 0; i < list.count; ++i) {
            if (list.get(i).key === key) list.remove(i);
        }
        delete actions[key];
    }
    ListModel { id: list }
    Repeater {
        model: list
        Rectangle {
            id: toast
            required property string text
            required property string action
            required property bool lasting
            required property int key
            width: Math.min(toasts.width, line.implicitWidth + 28)
            height: Math.max(40, words.implicitHeight + 20)
            radius: 10
            color: Theme.raised
            border.width: Theme.lineWidth
            border.color: lasting ? Theme.error : Theme.line
            Accessible.role: Accessible.AlertMessage
            Accessible.name: text
            Row {
                id: line
                anchors.verticalCenter: parent.verticalCenter
                x: 14
                spacing: 8
                Text {
                    id: words
                    width: Math.min(implicitWidth, toasts.width - buttons.width - 36)
                    text: toast.text
                    textFormat: Text.PlainText
                    wrapMode: Text.Wrap
                    color: Theme.text
                    font.pixelSize: Theme.body
                    anchors.verticalCenter: parent.verticalCenter
                }
                Row {
                    id: buttons
                    spacing: 4
                    anchors.verticalCenter: parent.verticalCenter
                    ActionButton {
                        objectName: "toast_action"
                        visible: toast.action !== ""
                        text: toast.action
                        outlined: false
                        ink: Theme.accent
                        onClicked: {
                            const then = toasts.actions[toast.key];
                            toasts.close(toast.key);
                            if (then) then();
                        }
                    }
                    IconButton {
                        iconName: "close"
                        iconSize: 16
                        compact: true
                        tip: qsTr("Close")
                        anchors.verticalCenter: parent.verticalCenter
                        onClicked: toasts.close(toast.key)
                    }
                }
            }
            HoverHandler { id: hover }
            Timer {
                interval: 6000
                running: !toast.lasting && !hover.hovered
                onTriggered: toasts.close(toast.key)
            }
        }
    }
}
