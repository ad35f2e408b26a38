// The lamp of the engine's state. Its shape tells, too: square when something failed, a ring when nothing is loaded.
import QtQuick
import Lavascope

Rectangle {
    required property EngineState engine
    width: 10
    height: 10
    radius: engine.failed ? 2 : 5
    color: engine.off ? "transparent" : engine.lamp
    border.width: engine.off ? 2 : 0
    border.color: engine.lamp
}
