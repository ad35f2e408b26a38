// Where the question is written: chips, words, and one button that sends or stops.
import QtQuick
import Lavascope
import QtQuick.Controls.Basic
import QtQuick.Dialogs

FocusScope {
    id: composer
    readonly property QtObject model: App.chat.composer
    property alias field: field
    signal toast(string text)
    implicitHeight: card.height
    height: implicitHeight

    function send() {
        if (App.chat.busy) return;
        if (model.ready) App.chat.send();
    }
    function pick() { dialog.active = true; dialog.item.open(); }
    function paste() { return Desktop.paste_into(model); }

    Connections {
        target: composer.model
        function onText_loaded() {
            if (field.text === composer.model.text) return;
            field.text = composer.model.text;
            field.cursorPosition = field.length;
        }
    }

    Rectangle {
        id: card
        width: parent.width
        height: column.implicitHeight + 16
        radius: 20
        color: Theme.raised
        border.width: field.activeFocus ? 2 : Theme.lineWidth
        border.color: field.activeFocus ? Theme.accent : Theme.control

        TapHandler { onTapped: field.forceActiveFocus() }

        Column {
            id: column
            y: 8
            x: 8
            width: parent.width - 16
            spacing: 4
            EditNotice {
                width: parent.width
                visible: App.chat.editing !== 0
            }
            RegionNotice {
                width: parent.width
                visible: composer.model.pointing
            }
            ChipRow {
                width: parent.width
                visible: composer.model.count > 0
                chips: composer.model
            }
            Flickable {
                id: flick
                readonly property real lineHeight: metrics.height
                width: parent.width
                height: Math.min(field.implicitHeight, 10 * lineHeight + 16)
                contentHeight: field.implicitHeight
                clip: true
                boundsBehavior: Flickable.StopAtBounds
                ScrollBar.vertical: ThinScroll {}
                function follow(r) {
                    if (contentY >= r.y) contentY = Math.max(0, r.y - 8);
                    else if (contentY + height <= r.y + r.height) contentY = r.y + r.height - height + 8;
                }
                TextEdit {
                    id: field
                    objectName: "composer_field"
                    width: flick.width
                    height: Math.max(implicitHeight, flick.height)
                    leftPadding: 10
                    rightPadding: 10
                    topPadding: 8
                    bottomPadding: 8
                    focus: true
                    activeFocusOnTab: true
                    textFormat: TextEdit.PlainText
                    wrapMode: TextEdit.Wrap
                    selectByMouse: true
                    color: Theme.text
                    selectionColor: Theme.accent
                    selectedTextColor: Theme.onAccent
                    font.pixelSize: Theme.message
                    Accessible.role: Accessible.EditableText
                    Accessible.name: hint.text
                    Accessible.multiLine: true
                    onTextChanged: composer.model.text = text
                    onCursorRectangleChanged: flick.follow(cursorRectangle)
                    Keys.onPressed: event => keys.pressed(event)
                    FontMetrics { id: metrics; font: field.font }
                    Text {
                        id: hint
                        x: 10
                        y: 8
                        width: parent.width - 20
                        visible: field.length === 0 && field.preeditText === ""
                        text: App.engine.state !== "ready" ? qsTr("Ask about a picture") : (App.engine.vision ? qsTr("Ask %1 about a picture") : qsTr("Ask %1")).arg(App.engine.modelName)
                        color: Theme.faint
                        font: field.font
                        elide: Text.ElideRight
                        Accessible.ignored: true
                    }
                }
            }
            ToolRow {
                width: parent.width
                onAdd: composer.pick()
                onSend: composer.send()
                onStop: App.chat.stop()
            }
        }
    }

    QtObject {
        id: keys
        function pressed(event) {
            const plain = !(event.modifiers & (Qt.ShiftModifier | Qt.AltModifier | Qt.ControlModifier));
            if ((event.key === Qt.Key_Return || event.key === Qt.Key_Enter) && !(event.modifiers & (Qt.ShiftModifier | Qt.AltModifier))) {
                composer.send();
            } else if (event.matches(StandardKey.Paste)) {
                if (!composer.paste()) field.paste();
            } else if (event.key === Qt.Key_Up && plain && field.length === 0 && composer.model.count === 0 && !App.chat.busy) {
                App.chat.begin_edit(0);
            } else if (event.key === Qt.Key_Tab && plain) {
                field.nextItemInFocusChain(true).forceActiveFocus(Qt.TabFocusReason);
            } else if (event.key === Qt.Key_Backtab) {
                field.nextItemInFocusChain(false).forceActiveFocus(Qt.BacktabFocusReason);
            } else {
                event.accepted = false;
                return;
            }
            event.accepted = true;
        }
    }

    Loader {
        id: dialog
        active: false
        sourceComponent: FileDialog {
            title: qsTr("Add pictures")
            fileMode: FileDialog.OpenFiles
            currentFolder: Desktop.pictures_folder()
            nameFilters: [qsTr("Pictures (*.png *.jpg *.jpeg *.webp *.gif *.bmp *.ppm *.pgm)"), qsTr("All files (*)")]
            onAccepted: composer.model.add_files(selectedFiles)
        }
    }
}
