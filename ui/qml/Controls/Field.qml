// One line of text.
import QtQuick
import Lavascope
import QtQuick.Templates as T

T.TextField {
    id: control
    property string iconName: ""
    property bool wrong: false
    implicitHeight: Theme.controlHeight
    implicitWidth: 200
    leftPadding: iconName === "" ? 10 : icon.width + 16
    rightPadding: 10
    verticalAlignment: TextInput.AlignVCenter
    color: Theme.text
    selectionColor: Theme.accent
    selectedTextColor: Theme.onAccent
    placeholderTextColor: Theme.faint
    selectByMouse: true
    font.pixelSize: Theme.body
    Accessible.name: placeholderText
    Icon {
        id: icon
        x: 9
        anchors.verticalCenter: parent.verticalCenter
        name: control.iconName
        visible: name !== ""
        size: 16
        color: Theme.faint
    }
    Text {
        x: control.leftPadding
        width: control.width - control.leftPadding - control.rightPadding
        anchors.verticalCenter: parent.verticalCenter
        text: control.placeholderText
        visible: control.length === 0 && control.preeditText === ""
        color: control.placeholderTextColor
        font: control.font
        elide: Text.ElideRight
        Accessible.ignored: true
    }
    background: Rectangle {
        radius: 6
        color: Theme.card
        border.width: control.activeFocus ? 2 : Theme.lineWidth
        border.color: control.wrong ? Theme.error : control.activeFocus ? Theme.accent : Theme.line
    }
}
