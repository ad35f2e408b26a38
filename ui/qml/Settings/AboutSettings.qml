// What this is, and what it is made of.
import QtQuick
import Lavascope

SettingsGroup {
    key: "about"
    name: qsTr("About")
    icon: "mark"
    SettingsRow {
        title: qsTr("Lavascope %1").arg(App.version)
        help: qsTr("A desktop assistant that sees. Everything runs on this computer, and nothing is sent anywhere unless you choose a server yourself.")
        words: qsTr("version privacy")
        ActionButton {
            objectName: "copy_version"
            text: qsTr("Copy version")
            onClicked: Desktop.copy(["Lavascope " + App.version].concat(App.engine.facts.map(fact => fact.name + ": " + fact.value)).join("\n"))
        }
    }
    SettingsRow {
        title: qsTr("Engine")
        help: qsTr("Pictures and words are computed by Lavascope's own engine, a program beside the window: on the processor, or on a graphics card by CUDA or Vulkan. If it fails, the window and your chats stay.")
        words: qsTr("lavascope-engine inference")
    }
    SettingsRow {
        title: qsTr("Licence")
        help: qsTr("Lavascope is free software under the Apache License 2.0.")
        words: qsTr("copyright legal open source")
    }
    SettingsRow {
        title: qsTr("Parts of others")
        help: qsTr("Libraries, models and pictures that come with it or that it uses, and their licences.")
        words: qsTr("third party library copyright legal") + " " + list.parts.map(part => part.name).join(" ")
        wide: true
        Column {
            id: list
            readonly property var parts: App.licences()
            property bool unfolded: false
            width: parent.width
            spacing: 6
            ActionButton {
                objectName: "licences_fold"
                text: list.unfolded ? qsTr("Hide them") : qsTr("Show %1 parts").arg(list.parts.length)
                iconName: list.unfolded ? "down" : "right"
                outlined: false
                Accessible.description: list.unfolded ? qsTr("Unfolded") : qsTr("Folded")
                onClicked: list.unfolded = !list.unfolded
            }
            Repeater {
                model: list.unfolded ? list.parts : []
                PairRow {
                    required property var modelData
                    objectName: "licence"
                    width: list.width
                    share: 0.6
                    name: modelData.name
                    value: modelData.value
                }
            }
        }
    }
}
