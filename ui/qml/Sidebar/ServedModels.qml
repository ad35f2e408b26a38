// Which of its models a server elsewhere is asked, where it offers several.
import QtQuick
import Lavascope

Column {
    id: served
    property bool unfolded: false
    readonly property bool many: App.engine.servedCount > 8
    readonly property bool several: App.engine.servedCount > 1
    onSeveralChanged: unfolded = false
    spacing: 4
    ActionButton {
        objectName: "served_fold"
        width: Math.min(implicitWidth, parent.width)
        text: qsTr("Model: %1").arg(App.engine.servedModel)
        iconName: served.unfolded ? "down" : "right"
        Accessible.name: qsTr("Model on that server: %1").arg(App.engine.servedModel)
        Accessible.description: served.unfolded ? qsTr("Unfolded") : qsTr("Folded")
        onClicked: {
            served.unfolded = !served.unfolded;
            if (!served.unfolded) return;
            if (served.many) search.forceActiveFocus(Qt.TabFocusReason);
            else Qt.callLater(list.focus_current, visualFocus ? Qt.TabFocusReason : Qt.OtherFocusReason);
        }
    }
    Field {
        id: search
        objectName: "served_search"
        width: parent.width
        visible: served.unfolded && served.many
        iconName: "search"
        placeholderText: qsTr("One of %1 models").arg(App.engine.servedCount)
        Keys.onEscapePressed: event => { event.accepted = text !== ""; clear(); }
        Keys.onDownPressed: list.focus_current(Qt.TabFocusReason)
    }
    ChoiceList {
        id: list
        objectName: "servedChoices"
        width: parent.width
        visible: served.unfolded
        titled: false
        name: qsTr("Model on that server")
        rows: served.unfolded && served.several ? App.engine.served_models(search.text) : []
        current: App.engine.servedChoice
        rowName: "served_row"
        onChosen: choice => App.engine.use_served_model(choice)
    }
    Text {
        objectName: "served_note"
        width: parent.width
        visible: served.unfolded && text !== ""
        text: list.rows.length === 0 ? qsTr("No model there is called so") : list.rows.length < 50 ? "" : qsTr("There are more: write a part of the name")
        color: Theme.muted
        font.pixelSize: Theme.caption
        wrapMode: Text.Wrap
    }
}
