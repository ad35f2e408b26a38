// SSDLite with a MobileNetV2 trunk (Sandler et al. 2018; TensorFlow detection zoo, COCO): what stands where. Batch norms are folded into
// the weights.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/weights.h"
#include "engine/encoders/convolutions.h"
#include "engine/encoders/ssd_boxes.h"
#include "engine/encoders/vision_encoder.h"
#include "engine/partition/partition_config.h"
#include "kernels/activation/activate.h"

namespace lava {

// The whole picture on a grey square, 300 x 300.
PartitionConfig detector_views();

class SsdliteMobilenetV2 {
 public:
  static constexpr int max_detections = 200;
  static constexpr int side = 300, inner_width = 576, head_width = 1280;

  static constexpr int map_channels(int map) {
    constexpr int channels[ssd::maps] = {inner_width, head_width, 512, 256, 256, 128};
    return channels[map];
  }

  // What the network gives, before any box is made.
  struct Outputs {
    std::array<Tensor, ssd::maps> maps;  // [n, n, channels]: 19 x 19 x 576 inside block 13, 10 x 10 x 1280 head, extra stages
    Tensor codes;                        // [anchors, 4]
    Tensor logits;                       // [anchors, classes]
  };

  static Result<std::unique_ptr<SsdliteMobilenetV2>> load(Weights& weights, const io::TensorSource& source);

  std::span<const ssd::Anchor> anchors() const { return anchors_; }
  // At most `max` boxes with COCO names, best first, suppressed class by class; ids without a name never appear.
  Result<std::vector<Object>> detections(Run& run, const View& view, const media::Picture& picture, float threshold, int max) const;
  // f32 [300, 300, 3] in -1..1, in the arena.
  Result<Tensor> read_view(Run& run, const View& view, const media::Picture& picture) const;
  Result<Outputs> forward(Run& run, const Tensor& x) const;

 private:
  using Pointwise = conv::Pointwise;
  using Window = conv::Window;
  struct Stage {  // expand (reduce in the extra stages), depthwise, project (expand)
    Pointwise first, last;
    Window depthwise;
    bool residual = false;
  };
  struct Predictor {
    Window box_window, class_window;
    Pointwise box, label;
  };

  SsdliteMobilenetV2() = default;
  Result<Stage> load_stage(Weights& weights, const io::TensorSource& source, const std::string& name, bool extra, int in, int inner, int out,
                           int stride) const;
  Result<void> load_predictors(Weights& weights, const io::TensorSource& source);
  void predict(Run& run, const Outputs& outputs) const;

  std::vector<ssd::Anchor> anchors_;
  Window stem_;
  std::vector<Stage> blocks_, extra_;
  Pointwise head_;
  std::array<Predictor, ssd::maps> predictors_;
};

}  // namespace lava
