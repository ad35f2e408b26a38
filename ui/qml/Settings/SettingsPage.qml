// The settings: groups at the left, their rows beside them, and a search over all rows.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic

FocusScope {
    id: page
    objectName: "settings_page"
    property string group: "appearance"
    readonly property var groups: [appearance, engine, storage, keys, about]
    readonly property real grown: Math.max(1, Theme.textScale * 0.8)
    readonly property bool upright: width >= 640 * grown
    readonly property bool nothing: App.query !== "" && groups.every(one => one.hits === 0)
    signal closed()
    signal toast(string text)
    signal trouble(string text)
    Accessible.role: Accessible.Pane
    Accessible.name: qsTr("Settings")

    function open(key) {
        if (key !== "") choose(key);
        search.forceActiveFocus(Qt.TabFocusReason);
        search.selectAll();
    }
    function choose(key) {
        search.clear();
        group = key;
        view.contentY = 0;
    }
    // Escape: first the form, then the search, then the page.
    function step_back() {
        if (engine.asking) engine.cancel_server();
        else if (App.query !== "") search.clear();
        else closed();
    }
    onVisibleChanged: if (!visible) search.clear()
    Keys.onEscapePressed: step_back()

    Rectangle { anchors.fill: parent; color: Theme.ground }
    Item {
        id: bar
        width: parent.width
        height: Math.max(48, Theme.controlHeight + 16)
        Rectangle { anchors.bottom: parent.bottom; width: parent.width; height: Theme.lineWidth; color: Theme.line }
        IconButton {
            id: back
            objectName: "settings_back"
            x: 8
            anchors.verticalCenter: parent.verticalCenter
            iconName: "left"
            tip: qsTr("Back to the chat (Esc)")
            onClicked: page.closed()
        }
        Text {
            id: title
            anchors.left: back.right
            anchors.leftMargin: 8
            anchors.verticalCenter: parent.verticalCenter
            text: qsTr("Settings")
            color: Theme.text
            font.pixelSize: Theme.section
            font.weight: Font.DemiBold
            Accessible.role: Accessible.Heading
            Accessible.name: text
        }
        Field {
            id: search
            objectName: "settings_search"
            anchors.right: parent.right
            anchors.rightMargin: 16
            anchors.verticalCenter: parent.verticalCenter
            width: Math.min(280 * page.grown, parent.width - title.x - title.width - 40)
            iconName: "search"
            placeholderText: qsTr("Search")
            Accessible.name: qsTr("Search settings")
            onTextChanged: App.query = text.trim()
            Keys.onDownPressed: categories.focus_chosen(Qt.TabFocusReason)
        }
    }
    SettingsCategories {
        id: categories
        x: 12
        anchors.top: bar.bottom
        anchors.topMargin: 12
        width: page.upright ? 200 * page.grown - 12 : page.width - 24
        groups: page.groups
        chosen: page.group
        upright: page.upright
        onPicked: key => page.choose(key)
    }
    ScrollBody {
        id: view
        objectName: "settings_body"
        anchors { left: parent.left; right: parent.right; top: page.upright ? bar.bottom : categories.bottom; bottom: parent.bottom }
        anchors.leftMargin: page.upright ? 200 * page.grown + 12 : 0
        anchors.topMargin: page.upright ? 0 : 4
        column.x: 16
        column.width: Math.min(720 * page.grown, width - 40)
        ScrollBar.vertical: ThinScroll {}
        AppearanceSettings { id: appearance; chosen: page.group; width: parent.width }
        EngineSettings { id: engine; chosen: page.group; width: parent.width; onToast: text => page.toast(text) }
        StorageSettings {
            id: storage
            chosen: page.group
            width: parent.width
            onToast: text => page.toast(text)
            onTrouble: text => page.trouble(text)
        }
        KeySettings { id: keys; chosen: page.group; width: parent.width }
        AboutSettings { id: about; chosen: page.group; width: parent.width }
        Text {
            objectName: "nothing_found"
            visible: page.nothing
            width: parent.width
            topPadding: 24
            text: qsTr("No setting holds “%1”.").arg(App.query)
            textFormat: Text.PlainText
            wrapMode: Text.Wrap
            color: Theme.muted
            font.pixelSize: Theme.body
            Accessible.role: Accessible.StaticText
            Accessible.name: text
        }
    }
}
