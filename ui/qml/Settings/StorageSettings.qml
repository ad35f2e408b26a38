// What lies where on this computer.
import QtQuick
import Lavascope

SettingsGroup {
    id: group
    signal toast(string text)
    signal trouble(string text)
    key: "storage"
    name: qsTr("Storage")
    icon: "folder"
    onAppeared: App.storage.count()
    Connections {
        target: App.storage
        function onProblem(what, cause, remedy) { group.trouble([what, cause, remedy].filter(t => t !== "").join(". ") + "."); }
    }
    SettingsRow {
        title: qsTr("On this computer")
        help: App.storage.busy ? qsTr("Counting…") : qsTr("%1 in all").arg(App.storage.text)
        words: qsTr("disk space size")
        wide: true
        StackBar {
            width: parent.width
            parts: App.storage.places
            whole: App.storage.bytes
            colors: App.storage.places.map((place, number) => Theme.series_color(number))
        }
    }
    Repeater {
        model: App.storage.places.length
        SettingsRow {
            id: row
            required property int index
            readonly property var place: App.storage.places[index] ?? ({ key: "", name: "", what: "", path: "", text: "", bytes: 0, clearable: false })
            title: place.name
            help: place.what + ".\n" + place.path
            swatch: Theme.series_color(index)
            words: qsTr("folder disk space size clear cache")
            Text {
                objectName: "size_of_" + row.place.key
                text: row.place.text
                color: Theme.text
                font.pixelSize: Theme.body
                height: Theme.controlHeight
                verticalAlignment: Text.AlignVCenter
            }
            IconButton {
                objectName: "open_" + row.place.key
                iconName: "folder"
                tip: qsTr("Open the folder: %1").arg(row.place.name)
                onClicked: if (!Desktop.open_path(row.place.path)) group.toast(qsTr("The folder is not there yet, or no program opens it"))
            }
            SureButton {
                objectName: "clear_" + row.place.key
                visible: row.place.clearable
                enabled: row.place.bytes > 0
                text: qsTr("Clear")
                name: qsTr("Clear: %1").arg(row.place.name)
                question: qsTr("Sure?")
                onAgreed: App.storage.clear(row.place.key)
            }
        }
    }
}
