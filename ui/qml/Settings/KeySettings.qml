// The keys of the window.
import QtQuick
import Lavascope

SettingsGroup {
    key: "keys"
    name: qsTr("Keys")
    icon: "keyboard"
    SettingsRow {
        title: qsTr("Keys of the window")
        help: qsTr("Also with F1, from everywhere.")
        words: qsTr("shortcuts keyboard") + " " + keys.all.map(row => row.join(" ")).join(" ")
        wide: true
        KeyList {
            id: keys
            width: parent.width
            query: any ? App.query : ""
        }
    }
}
