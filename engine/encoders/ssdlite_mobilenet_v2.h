// SSDLite with a MobileNetV2 trunk (Sandler et al. 2018; TensorFlow detection zoo, COCO): a grid for the language model, and what stands
// where. Batch norms are folded into the weights.
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

class SsdliteMobilenetV2 final : public VisionEncoder {
 public:
  static constexpr int max_detections = 200;
  static constexpr int side = 300, inner_width = 576, head_width = 1280, colour_width = 3;
  static constexpr int grid_width = head_width + inner_width + colour_width;                   // a cell of the 5 x 5 grid
  static constexpr int object_width = head_width + inner_width + (ssd::classes - 1) + colour_width;  // root of each class probability

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

  static Result<std::unique_ptr<SsdliteMobilenetV2>> load(Weights& weights, const io::TensorSource& source, const ssd::Rules& proposals);

  const EncoderInfo& info() const override { return info_; }
  std::span<const ssd::Anchor> anchors() const { return anchors_; }
  // One view of 300 x 300. Objects come best first, each with features and the probabilities of classes 1..90.
  Result<Features> encode(Run& run, std::span<const View> views, const media::Picture& picture, const Signals& wanted) override;
  const SsdliteMobilenetV2* detector() const override { return this; }
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
  Tensor padded(Run& run, const Tensor& map) const;
  void join_grid(Run& run, const Tensor& detail, const Tensor& head, const Tensor& x, const Tensor& out) const;
  void describe(Run& run, const Outputs& outputs, const Tensor& detail, const Tensor& x, const Tensor& found, const Tensor& classes,
                Features& features) const;

  EncoderInfo info_;
  ssd::Rules proposals_;
  std::vector<ssd::Anchor> anchors_;
  Window stem_;
  std::vector<Stage> blocks_, extra_;
  Pointwise head_;
  std::array<Predictor, ssd::maps> predictors_;
};

}  // namespace lava
