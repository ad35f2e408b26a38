// The conversation: messages, composer, and the start page of an empty chat.
import QtQuick
import Lavascope

FocusScope {
    id: page
    property alias composer: writer
    property alias messages: messages
    readonly property real column: Math.min(760 * Math.max(1, Theme.textScale * 0.85), width - 32)
    readonly property bool empty: App.chat.empty
    signal picture_wanted(int picture, int number)
    signal toast(string text)

    // Keys that nothing else took, wherever the keyboard was: words go to the composer, pages to the conversation.
    function take_key(event) {
        const held = event.modifiers & (Qt.ControlModifier | Qt.AltModifier | Qt.MetaModifier);
        if (event.key === Qt.Key_PageUp || event.key === Qt.Key_PageDown) {
            messages.scroll_by((event.key === Qt.Key_PageUp ? -1 : 1) * (messages.height - 48));
        } else if (event.matches(StandardKey.Paste) || (!held && event.text >= " " && event.text !== "\x7f")) {
            writer.field.forceActiveFocus();
            if (event.text >= " " && !held) writer.field.insert(writer.field.cursorPosition, event.text);
            else if (!writer.paste()) writer.field.paste();
        } else {
            return false;
        }
        return true;
    }

    MessageList {
        id: messages
        anchors { left: parent.left; right: parent.right; top: parent.top; bottom: writer.top }
        column: page.column
        visible: !page.empty
        onPicture_wanted: (picture, number) => page.picture_wanted(picture, number)
        onToast: text => page.toast(text)
    }

    Loader {
        id: start
        anchors.fill: parent
        active: page.empty
        sourceComponent: StartPage {
            column: page.column
            composer: writer
        }
    }

    Composer {
        id: writer
        focus: true
        width: page.column
        x: (page.width - width) / 2
        y: page.empty && start.item ? start.item.composerY : page.height - height - 12
        onToast: text => page.toast(text)
    }
}
