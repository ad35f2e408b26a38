// A named field, and below it what is wrong with what it holds. A secret one is shown on demand.
import QtQuick
import Lavascope

Column {
    id: line
    required property string name
    required property string field  // its object name
    property alias text: input.text
    property string placeholder: ""
    property string problem: ""
    property bool secret: false
    property bool shown: false
    signal accepted()
    signal edited()
    readonly property bool keepWhole: true
    spacing: 4
    function forceActiveFocus(reason) { input.forceActiveFocus(reason); }
    function selectAll() { input.selectAll(); }

    Text {
        text: line.name
        color: Theme.muted
        font.pixelSize: Theme.caption
    }
    Item {
        width: parent.width
        height: input.height
        Field {
            id: input
            objectName: line.field
            width: parent.width - (show.visible ? show.width + 8 : 0)
            placeholderText: line.placeholder
            wrong: line.problem !== ""
            maximumLength: 5000
            echoMode: line.secret && !line.shown ? TextInput.Password : TextInput.Normal
            inputMethodHints: Qt.ImhNoPredictiveText | Qt.ImhNoAutoUppercase | (line.secret ? Qt.ImhSensitiveData | Qt.ImhHiddenText : Qt.ImhUrlCharactersOnly)
            Accessible.name: line.name
            Accessible.description: line.problem
            onAccepted: line.accepted()
            onTextEdited: line.edited()
        }
        IconButton {
            id: show
            objectName: line.field + "_show"
            visible: line.secret
            anchors.right: parent.right
            anchors.rightMargin: 4  // room for its focus ring
            anchors.verticalCenter: parent.verticalCenter
            iconName: line.shown ? "eye-off" : "eye"
            tip: line.shown ? qsTr("Hide the token") : qsTr("Show the token")
            onClicked: line.shown = !line.shown
        }
    }
    Text {
        objectName: line.field + "_problem"
        width: parent.width
        visible: text !== ""
        text: line.problem
        textFormat: Text.PlainText
        color: Theme.error
        font.pixelSize: Theme.caption
        wrapMode: Text.Wrap
        Accessible.role: Accessible.AlertMessage
        Accessible.name: text
    }
}
