// The whole window takes files and pictures that are dropped on it.
import QtQuick
import Lavascope

DropArea {
    id: area
    objectName: "drop_layer"
    readonly property QtObject composer: App.chat.composer
    onEntered: drag => { drag.accepted = drag.hasUrls || drag.formats.some(f => f.startsWith("image/")); }
    onDropped: drop => {
        if (drop.hasUrls) {
            composer.add_files(drop.urls);
        } else {
            const format = drop.formats.find(f => f.startsWith("image/"));
            if (format) composer.add_bytes(drop.getDataAsArrayBuffer(format), qsTr("Dropped picture"));
        }
        drop.accept(Qt.CopyAction);
    }
    Rectangle {
        anchors.fill: parent
        visible: area.containsDrag
        color: Theme.alpha(Theme.ground, 0.85)
        Canvas {
            anchors.fill: parent
            anchors.margins: 12
            onPaint: {
                const ctx = getContext("2d");
                ctx.reset();
                ctx.strokeStyle = Theme.accent;
                ctx.lineWidth = 2;
                ctx.setLineDash([8, 6]);
                ctx.strokeRect(1, 1, width - 2, height - 2);
            }
        }
        Column {
            anchors.centerIn: parent
            spacing: 12
            Icon { name: "image"; size: 40; color: Theme.accent; anchors.horizontalCenter: parent.horizontalCenter }
            Text { text: qsTr("Drop images"); color: Theme.text; font.pixelSize: Theme.section; font.weight: Font.DemiBold }
        }
    }
}
