// What the server needs of a model; the tests put a fake behind it.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "engine/core/assistant.h"

namespace lava::server {

class Answerer {
 public:
  virtual ~Answerer() = default;
  virtual const ModelReport& report() const = 0;
  virtual const DeviceInfo& device() const = 0;
  virtual std::string notice() const { return {}; }             // any thread
  virtual Result<Answer> answer(const Request&) = 0;            // one at a time, from the worker thread
  virtual Result<Prepared> prepare(const Request&) = 0;         // as answer()
  virtual Result<Detections> detect(const DetectRequest&) = 0;  // as answer()
  virtual Result<std::pair<std::vector<View>, int>> preview(Size image, int pictures) const = 0;  // any thread
};

}  // namespace lava::server
