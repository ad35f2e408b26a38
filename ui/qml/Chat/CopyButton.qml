import QtQuick
import Lavascope

IconButton {
    id: button
    required property var message
    property bool done: false
    iconSize: 16
    iconName: done ? "check" : "copy"
    onClicked: {
        Desktop.copy(App.chat.text_of(message));
        done = true;
        reset.start();
    }
    Timer { id: reset; interval: 1500; onTriggered: button.done = false }
}
