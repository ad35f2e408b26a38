// A group of settings. While something is sought every group is shown that has a row which the search finds.
import QtQuick
import Lavascope

Column {
    id: group
    required property string key
    required property string name
    required property string icon
    property string chosen: ""  // key of the group that is shown
    default property alias rows: body.data
    readonly property int hits: {
        let count = 0;
        for (let i = 0; i < body.children.length; ++i) if (body.children[i].found === true) ++count;
        return count;
    }
    signal appeared()
    signal vanished()
    // Later: what a group begins then changes what its rows say, and with that what a search finds.
    onVisibleChanged: visible ? Qt.callLater(group.appeared) : vanished()
    Component.onCompleted: if (visible) Qt.callLater(group.appeared)
    objectName: "settings_" + key
    visible: App.query === "" ? chosen === key : hits > 0
    bottomPadding: 24
    Accessible.role: Accessible.Grouping
    Accessible.name: name
    Text {
        text: group.name
        color: Theme.text
        font.pixelSize: Theme.section
        font.weight: Font.DemiBold
        topPadding: 16
        bottomPadding: 4
        Accessible.role: Accessible.Heading
        Accessible.name: text
    }
    Column {
        id: body
        width: parent.width
    }
}
