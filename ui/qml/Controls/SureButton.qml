// A button that asks once more before it does what cannot be undone.
import QtQuick
import Lavascope

Flow {
    id: sure
    required property string text
    required property string name  // read aloud
    required property string question
    property bool asking: false
    signal agreed()
    spacing: 8
    ActionButton {
        id: first
        objectName: sure.objectName + "_begin"
        visible: !sure.asking
        text: sure.text
        Accessible.name: sure.name
        onClicked: {
            sure.asking = true;
            keep.forceActiveFocus(visualFocus ? Qt.TabFocusReason : Qt.OtherFocusReason);
        }
    }
    Text {
        visible: sure.asking
        text: sure.question
        color: Theme.text
        font.pixelSize: Theme.body
        height: Theme.controlHeight
        verticalAlignment: Text.AlignVCenter
        Accessible.role: Accessible.AlertMessage
        Accessible.name: text
    }
    ActionButton {
        objectName: sure.objectName + "_agree"
        visible: sure.asking
        text: sure.text
        ink: Theme.error
        onClicked: { sure.leave(visualFocus); sure.agreed(); }
    }
    ActionButton {
        id: keep
        objectName: sure.objectName + "_keep"
        visible: sure.asking
        text: qsTr("Keep")
        onClicked: sure.leave(visualFocus)
    }
    function leave(ringed) {
        asking = false;
        first.forceActiveFocus(ringed ? Qt.TabFocusReason : Qt.OtherFocusReason);
    }
}
