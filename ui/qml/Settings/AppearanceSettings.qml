// How the window looks. Everything here shows at once.
import QtQuick
import Lavascope

SettingsGroup {
    key: "appearance"
    name: qsTr("Appearance")
    icon: "palette"
    SettingsRow {
        title: qsTr("Theme")
        help: qsTr("Like the system follows the desktop's own choice.")
        words: qsTr("dark light high contrast colours night")
        changed: Theme.asked !== ""
        onReset: Theme.asked = ""
        wide: true
        Segments {
            objectName: "theme_choice"
            width: parent.width
            name: qsTr("Theme")
            current: Theme.asked
            rows: [{ choice: "", name: qsTr("Like the system") }, { choice: "light", name: qsTr("Light") }, { choice: "dark", name: qsTr("Dark") },
                   { choice: "contrast", name: qsTr("High contrast") }]
            onChosen: choice => Theme.asked = choice
        }
    }
    SettingsRow {
        title: qsTr("Text size")
        help: qsTr("From 80 to 250 percent, also with Ctrl++ and Ctrl+-.")
        words: qsTr("font scale zoom large small")
        changed: Math.abs(Theme.textScale - 1) > 0.01
        onReset: Theme.textScale = 1
        IconButton {
            objectName: "text_smaller"
            iconName: "minus"
            tip: qsTr("Smaller text")
            enabled: Theme.textScale > 0.81
            onClicked: Theme.textScale -= 0.1
        }
        Text {
            objectName: "text_scale"
            text: qsTr("%1 %").arg(Math.round(Theme.textScale * 100))
            color: Theme.text
            font.pixelSize: Theme.body
            height: 32
            verticalAlignment: Text.AlignVCenter
            Accessible.role: Accessible.StaticText
            Accessible.name: qsTr("Text size: %1").arg(text)
        }
        IconButton {
            objectName: "text_larger"
            iconName: "plus"
            tip: qsTr("Larger text")
            enabled: Theme.textScale < 2.49
            onClicked: Theme.textScale += 0.1
        }
    }
    SettingsRow {
        title: qsTr("Less motion")
        help: qsTr("Nothing slides, fades or pulses.")
        words: qsTr("animation reduced accessibility")
        changed: Theme.reducedMotion
        onReset: Theme.reducedMotion = false
        Toggle {
            objectName: "less_motion"
            name: qsTr("Less motion")
            checked: Theme.reducedMotion
            onToggled: {
                Theme.reducedMotion = checked;
                checked = Qt.binding(() => Theme.reducedMotion);
            }
        }
    }
}
