// Where a server elsewhere is, and its token: tried before anything changes.
import QtQuick
import Lavascope

Column {
    id: sheet
    objectName: "server_sheet"
    readonly property QtObject form: App.engine.serverForm
    spacing: 10
    bottomPadding: 4
    Accessible.role: Accessible.Grouping
    Accessible.name: title.text

    function begin() {
        form.open();
        address.text = form.address;
        token.text = form.token;
        token.shown = false;
        address.forceActiveFocus(Qt.TabFocusReason);
        address.selectAll();
    }
    function submit() { if (!form.trying) form.submit(address.text, token.text); }

    Connections {
        target: sheet.form
        enabled: sheet.visible
        function onChanged() {
            if (sheet.form.addressProblem !== "") address.forceActiveFocus(Qt.OtherFocusReason);
            else if (sheet.form.tokenProblem !== "") token.forceActiveFocus(Qt.OtherFocusReason);
        }
    }
    Text {
        id: title
        width: parent.width
        text: qsTr("Another computer")
        color: Theme.text
        font.pixelSize: Theme.body
        font.weight: Font.DemiBold
        wrapMode: Text.Wrap
    }
    Text {
        width: parent.width
        text: qsTr("Questions and their pictures go there, and its engine answers. It may be another OpenAI-compatible server, too.")
        color: Theme.muted
        font.pixelSize: Theme.caption
        wrapMode: Text.Wrap
    }
    ServerField {
        id: address
        name: qsTr("Address")
        field: "server_address"
        width: parent.width
        placeholder: "http://gpu-server:8080"
        problem: sheet.form.addressProblem
        onAccepted: sheet.submit()
        onEdited: if (sheet.form.token !== "" && token.text === sheet.form.token && !sheet.form.token_fits(text)) token.text = ""
    }
    Row {
        objectName: "server_exposed"
        visible: sheet.form.exposed(address.text)
        width: parent.width
        spacing: 6
        Icon { id: sign; name: "warning"; size: 16; color: Theme.warn }
        Text {
            width: parent.width - sign.width - 6
            text: qsTr("http:// is not encrypted: everyone on the way can read pictures, answers and the token. Use it only in a network that you trust.")
            color: Theme.text
            font.pixelSize: Theme.caption
            wrapMode: Text.Wrap
        }
    }
    ServerField {
        id: token
        name: qsTr("Token")
        field: "server_token"
        secret: true
        width: parent.width
        placeholder: qsTr("As the server was started with")
        problem: sheet.form.tokenProblem
        onAccepted: sheet.submit()
    }
}
