// What stands where in a picture, from a tower that names objects; no language model takes part.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/weights.h"
#include "engine/encoders/ssdlite_mobilenet_v2.h"
#include "engine/io/tensor_source.h"
#include "engine/media/picture.h"
#include "kernels/run.h"

namespace lava {

struct DetectRules {
  static constexpr int most = 100;
  float threshold = 0.45f;  // least score, 0..1
  int max = 20;             // 1..most
};

struct DetectRequest {
  std::shared_ptr<const std::string> picture;  // encoded file
  DetectRules rules;
  const std::atomic<bool>* cancel = nullptr;
};

struct Detection {
  std::string label;
  float box[4] = {0, 0, 0, 0};  // x1, y1, x2, y2 in pixels of the upright picture, inside it
  float score = 0;
};

struct Detections {
  Size size;  // of the upright picture
  std::vector<Detection> objects;  // best first
};

// A detector with memory of its own to run in. One picture at a time.
class Detector {
 public:
  // The one that comes with the program.
  static Result<std::unique_ptr<Detector>> open(Device& device);
  // The one inside a tower, which must outlive it.
  static Result<std::unique_ptr<Detector>> borrow(Device& device, const SsdliteMobilenetV2& tower);

  Result<Detections> detect(const DetectRequest& request);
  Result<Detections> detect(const media::Picture& picture, const DetectRules& rules, const std::atomic<bool>* cancel = nullptr);

 private:
  Detector(Device& device, const SsdliteMobilenetV2* tower) : device_(device), tower_(tower) {}
  Result<void> allocate();

  Device& device_;
  std::unique_ptr<io::TensorSource> source_;  // weights may lie in the mapped file
  std::unique_ptr<Weights> weights_;
  std::unique_ptr<SsdliteMobilenetV2> own_;
  const SsdliteMobilenetV2* tower_;
  std::unique_ptr<Partitioner> views_;
  std::unique_ptr<Buffer> memory_;
  Arena arena_{nullptr, 0};
};

}  // namespace lava
