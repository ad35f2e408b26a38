// One attached picture: thumbnail, number, size and cost; or why it cannot be used.
import QtQuick
import Lavascope

FocusScope {
    id: chip
    objectName: "chip"
    required property int index
    required property string sha
    required property string name
    required property int pixelWidth
    required property int pixelHeight
    required property string chipState
    required property string reason
    required property int tokens
    required property int count
    readonly property string strip: chipState === "failed" ? qsTr("cannot decode")
                                    : chipState === "loading" ? qsTr("reading")
                                    : pixelWidth + "×" + pixelHeight + (tokens >= 0 ? qsTr(" · %1 tok").arg(tokens) : "")
    signal removed()
    signal moved(int by)
    width: Math.max(64, label.implicitWidth + 12)
    height: 80
    activeFocusOnTab: true
    Accessible.role: Accessible.ListItem
    Accessible.name: qsTr("%1 of %2, %3, %4").arg(index + 1).arg(count).arg(name).arg(chipState === "failed" ? reason : strip)
    Keys.onShortcutOverride: event => event.accepted = (event.modifiers & Qt.AltModifier) && (event.key === Qt.Key_Left || event.key === Qt.Key_Right)
    Keys.onPressed: event => {
        if (event.key === Qt.Key_Delete || event.key === Qt.Key_Backspace) chip.removed();
        else if (event.modifiers & Qt.AltModifier && event.key === Qt.Key_Left) chip.moved(-1);
        else if (event.modifiers & Qt.AltModifier && event.key === Qt.Key_Right) chip.moved(1);
        else return;
        event.accepted = true;
    }
    Rectangle {
        id: frame
        y: 6
        width: parent.width
        height: 72
        radius: 10
        clip: true
        color: Theme.card
        border.width: Theme.lineWidth
        border.color: chip.chipState === "failed" ? Theme.error : Theme.line
        Image {
            anchors { fill: parent; margins: 2; bottomMargin: 18 }
            source: chip.chipState === "ready" ? "image://media/" + chip.sha : ""
            sourceSize: Qt.size(256, 256)
            fillMode: Image.PreserveAspectCrop
            asynchronous: true
            Accessible.ignored: true
        }
        Icon {
            visible: chip.chipState !== "ready"
            anchors.horizontalCenter: parent.horizontalCenter
            y: 18
            name: chip.chipState === "failed" ? "warning" : "image"
            color: chip.chipState === "failed" ? Theme.error : Theme.muted
        }
        Text {
            id: label
            anchors.bottom: parent.bottom
            anchors.bottomMargin: 2
            anchors.horizontalCenter: parent.horizontalCenter
            text: chip.strip
            color: chip.chipState === "failed" ? Theme.error : Theme.muted
            font.pixelSize: 11
        }
    }
    Rectangle {
        x: 4
        y: 10
        width: 18
        height: 18
        radius: 9
        color: "#CC000000"
        visible: chip.count > 1
        Text { anchors.centerIn: parent; text: chip.index + 1; color: "white"; font.pixelSize: 11; font.bold: true }
    }
    HoverHandler { id: hover }
    Rectangle {
        visible: hover.hovered || chip.activeFocus || chip.chipState === "failed"
        anchors.right: parent.right
        anchors.rightMargin: -4
        width: 24
        height: 24
        radius: 12
        color: Theme.raised
        border.width: Theme.lineWidth
        border.color: Theme.control
        Icon { anchors.centerIn: parent; name: "close"; size: 14 }
        TapHandler { onTapped: chip.removed() }
        Accessible.role: Accessible.Button
        Accessible.name: qsTr("Remove %1").arg(chip.name)
        Accessible.onPressAction: chip.removed()
    }
    Loader {
        active: hover.hovered
        sourceComponent: Tip {
            visible: hover.hovered
            text: chip.name + (chip.reason !== "" ? "\n" + chip.reason : "")
        }
    }
    FocusRing { target: chip; anchors.topMargin: 2; anchors.bottomMargin: -2; radius: 14 }
}
