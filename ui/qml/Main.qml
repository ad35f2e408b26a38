// The window: sidebar, conversation, and what lies over them.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic
import QtQuick.Templates as T

ApplicationWindow {
    id: window
    readonly property bool narrow: width < 720
    property bool rail: false
    property bool drawer: false
    readonly property bool viewing: !!viewer.item && viewer.item.visible
    readonly property bool setting: settings.active && settings.visible
    property bool quit_asked: false
    minimumWidth: 480
    minimumHeight: 520
    width: 1180
    height: 800
    title: App.chat.title === "" ? "Lavascope" : App.chat.title + " - Lavascope"
    color: Theme.ground
    font.pixelSize: Theme.body
    // For dialogs that Qt draws itself.
    palette.window: Theme.card
    palette.windowText: Theme.text
    palette.base: Theme.ground
    palette.text: Theme.text
    palette.button: Theme.hover
    palette.buttonText: Theme.text
    palette.highlight: Theme.accent
    palette.highlightedText: Theme.onAccent
    palette.light: Theme.hover
    palette.midlight: Theme.line
    palette.mid: Theme.control
    palette.dark: Theme.control
    palette.placeholderText: Theme.faint

    function toggle_sidebar() {
        if (narrow) drawer = !drawer;
        else rail = !rail;
    }
    function search_chats() {
        leave_picture();
        if (narrow) drawer = true;
        else rail = false;
        sidebar.focus_search();
    }
    function show_picture(picture, number) {
        if (!viewing) viewer.before = window.activeFocusItem;
        viewer.active = true;
        viewer.item.open(App.chat.transcript.pictures(), picture, number, page.messages.highlight_state);
    }
    function leave_picture() { if (viewing) viewer.item.close(); }
    function open_settings(group) {
        leave_picture();
        drawer = false;
        settings.active = settings.visible = true;
        settings.item.open(group);
    }
    function leave_settings() {
        if (!setting) return;
        settings.visible = false;
        page.composer.field.forceActiveFocus();
    }
    function step_back() {
        if (viewing) viewer.item.close();
        else if (drawer && narrow) drawer = false;
        else if (setting) settings.item.step_back();
        else if (App.chat.busy) App.chat.stop();
        else if (App.chat.editing !== 0) App.chat.cancel_edit();
        else page.composer.field.forceActiveFocus();
    }
    onNarrowChanged: drawer = false
    onClosing: close => {
        if (!App.chat.busy || quit_asked) return;
        close.accepted = false;
        quit_asked = true;
        toasts.show(qsTr("An answer is still being written. Close again to quit."));
    }

    FocusScope {
        id: main
        anchors.fill: parent
        focus: true
        enabled: !window.viewing  // Tab stays in the picture
        Keys.onEscapePressed: window.step_back()
        Keys.onPressed: event => event.accepted = !window.setting && page.take_key(event)
        ChatPage {
            id: page
            anchors { left: parent.left; right: parent.right; top: header.bottom; bottom: parent.bottom; leftMargin: window.narrow ? 0 : sidebar.width }
            focus: true
            visible: !window.setting
            onPicture_wanted: (picture, number) => window.show_picture(picture, number)
            onToast: text => toasts.show(text)
        }
        Header {
            id: header
            anchors { left: page.left; right: page.right; top: parent.top }
            visible: !window.setting
            menu_button: window.narrow
            onMenu_wanted: window.toggle_sidebar()
            onKeys_wanted: { keys.active = true; keys.item.open(); }
        }
        Loader {
            id: settings
            anchors { left: page.left; right: page.right; top: parent.top; bottom: parent.bottom }
            active: false
            visible: false
            source: "SettingsPage.qml"  // not read before it is wanted: the first frame need not wait
            Connections {
                target: settings.item
                function onClosed() { window.leave_settings(); }
                function onToast(text) { toasts.show(text); }
                function onTrouble(text) { toasts.show(text, "", null, true); }
            }
        }
        Rectangle {
            anchors.fill: parent
            visible: window.narrow && window.drawer
            color: "#80000000"
            TapHandler { onTapped: window.drawer = false }
        }
        Sidebar {
            id: sidebar
            rail: window.rail && !window.narrow
            width: rail ? 56 : 264 * Math.min(1.35, Math.max(1, Theme.textScale * 0.8))
            height: parent.height
            x: window.narrow && !window.drawer ? -width : 0
            visible: x > -width
            Behavior on x { enabled: window.narrow; NumberAnimation { duration: Theme.slide; easing.type: Easing.OutQuad } }
            onToggled: window.toggle_sidebar()
            onSettings_wanted: group => window.open_settings(group)
            onChosen: {
                window.drawer = false;
                window.leave_settings();
                page.composer.field.forceActiveFocus();
            }
        }
        Toasts {
            id: toasts
            x: 16
            width: Math.min(420, parent.width - 32)
            anchors.bottom: parent.bottom
            anchors.bottomMargin: 64
            z: 5
        }
        DropLayer { anchors.fill: parent; onDropped: window.leave_settings() }
    }

    Loader {
        id: viewer
        anchors.fill: parent
        active: false
        z: 20
        property Item before: null  // had the keyboard before the picture was opened
        sourceComponent: PictureViewer { onClosed: (viewer.before ?? page.composer.field).forceActiveFocus() }
    }
    Loader {
        id: keys
        active: false
        sourceComponent: KeysSheet { parent: T.Overlay.overlay }
    }

    Connections {
        target: App.chat
        function onRemoved(chat, title) {
            toasts.show(qsTr("“%1” was deleted").arg(title), qsTr("Undo"), () => App.chat.undo_remove(chat));
        }
        function onProblem(what, cause, remedy) {
            toasts.show([what, cause, remedy].filter(t => t !== "").join(". ") + ".", "", null, true);
        }
        function onEditing_changed() { if (App.chat.editing !== 0) page.composer.field.forceActiveFocus(); }
        function onChat_changed() { window.leave_picture(); window.leave_settings(); page.composer.field.forceActiveFocus(); }
    }

    Shortcut { sequences: ["Ctrl+N"]; onActivated: { window.leave_picture(); window.leave_settings(); App.chat.new_chat(); window.drawer = false; } }
    Shortcut { sequences: ["Ctrl+B"]; onActivated: window.toggle_sidebar() }
    Shortcut { sequences: ["Ctrl+K"]; onActivated: window.search_chats() }
    Shortcut { sequences: ["Ctrl+R"]; enabled: !window.setting; onActivated: App.chat.regenerate(0) }
    Shortcut { sequences: ["Alt+Left"]; enabled: !window.setting; onActivated: App.chat.select_sibling(0, -1) }
    Shortcut { sequences: ["Alt+Right"]; enabled: !window.setting; onActivated: App.chat.select_sibling(0, 1) }
    Shortcut { sequences: ["Ctrl+Shift+C"]; enabled: !window.setting; onActivated: { Desktop.copy(App.chat.text_of(0)); toasts.show(qsTr("Answer copied")); } }
    Shortcut { sequences: ["Ctrl+,"]; onActivated: window.open_settings("") }
    Shortcut { sequences: ["F1", "Ctrl+/"]; onActivated: { keys.active = true; keys.item.open(); } }
    Shortcut { sequences: ["F2"]; enabled: App.chat.chatId !== 0; onActivated: { window.leave_picture(); if (!window.narrow) window.rail = false; else window.drawer = true; sidebar.rename_current(); } }
    Shortcut { sequences: ["Ctrl++", "Ctrl+="]; onActivated: Theme.textScale += 0.1 }
    Shortcut { sequences: ["Ctrl+-"]; onActivated: Theme.textScale -= 0.1 }
    Shortcut { sequences: ["Ctrl+0"]; onActivated: Theme.textScale = 1 }
    Shortcut { sequences: ["Ctrl+Q"]; onActivated: window.close() }
}
