// Words of the settings, with what the search found marked.
import QtQuick
import Lavascope

Text {
    required property string words
    text: App.query === "" ? words : App.marked(words, Theme.onAccent, Theme.accent)
    textFormat: App.query === "" ? Text.PlainText : Text.RichText
    color: Theme.text
    font.pixelSize: Theme.body
    wrapMode: Text.Wrap
}
