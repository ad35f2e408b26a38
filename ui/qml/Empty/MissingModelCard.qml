// No model on this computer: what to do about it.
import QtQuick
import Lavascope
import QtQuick.Dialogs

Panel {
    id: card
    objectName: "missing_model"
    implicitHeight: body.implicitHeight + 32
    Column {
        id: body
        x: 18
        y: 16
        width: parent.width - 36
        spacing: 10
        Row {
            spacing: 8
            Icon { name: "get"; color: Theme.accent }
            Text { text: qsTr("Get a model"); color: Theme.text; font.pixelSize: Theme.section; font.weight: Font.DemiBold }
        }
        Text {
            width: parent.width
            wrapMode: Text.Wrap
            text: App.engine.errorWhat + ". " + App.engine.errorCause
            textFormat: Text.PlainText
            color: Theme.muted
            font.pixelSize: Theme.body
        }
        Text {
            width: parent.width
            wrapMode: Text.Wrap
            text: App.engine.errorRemedy !== "" ? App.engine.errorRemedy + "."
                  : qsTr("Choose a model file (GGUF) or a folder with a model that is already on this computer.")
            textFormat: Text.PlainText
            color: Theme.text
            font.pixelSize: Theme.body
        }
        Flow {
            width: parent.width
            spacing: 8
            ActionButton { text: qsTr("Use a file"); iconName: "folder"; accent: true; onClicked: { pick.active = true; pick.item.open(); } }
            ActionButton { text: qsTr("Use a folder"); iconName: "folder"; onClicked: { folder.active = true; folder.item.open(); } }
            ActionButton { text: qsTr("Look again"); iconName: "refresh"; onClicked: App.engine.restart() }
        }
    }
    Loader {
        id: pick
        active: false
        sourceComponent: FileDialog {
            title: qsTr("Choose a model")
            nameFilters: [qsTr("Models (*.gguf *.safetensors)"), qsTr("All files (*)")]
            onAccepted: App.engine.use_model(Desktop.path_of(selectedFile))
        }
    }
    Loader {
        id: folder
        active: false
        sourceComponent: FolderDialog {
            title: qsTr("Choose a folder with a model")
            onAccepted: App.engine.use_model(Desktop.path_of(selectedFolder))
        }
    }
}
