// What the user chose once and for all: settings.json in the configuration folder. What it does not know it keeps.
#pragma once
#include <QString>

namespace lava::app::preferences {

QString device();  // "auto" and so on (kernels/devices.h); empty: never chosen
bool set_device(const QString& choice);

}  // namespace lava::app::preferences
