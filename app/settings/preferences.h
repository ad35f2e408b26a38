// What the user chose once and for all: settings.json in the configuration folder. What it does not know it keeps.
#pragma once
#include <QString>

#include "kernels/result.h"

namespace lava::app::preferences {

QString device();  // "auto" and so on (kernels/devices.h); empty: never chosen, or nothing that could be one
// A damaged file is kept beside the new one, as settings.json.damaged.
Result<void> set_device(const QString& choice);

}  // namespace lava::app::preferences
