// What the user chose once and for all: settings.json in the configuration folder. What it does not know it keeps.
#pragma once
#include <QString>

#include "kernels/result.h"

namespace lava::app::preferences {

QString device();  // "auto" and so on (kernels/devices.h); empty: never chosen, or nothing that could be one
// It computes from now on, and no server. A damaged file is kept beside the new one, as settings.json.damaged.
Result<void> set_device(const QString& choice);

// A server elsewhere. Its token is in a file of its own that no other user can read, and belongs to that address alone.
struct Server {
  QString address;  // empty: none
  QString token;
  bool used = false;  // instead of a device
  QString model = {};  // of several that it offers; empty: none was chosen
};
Server server();
Result<void> set_server(const Server& server);

}  // namespace lava::app::preferences
