// Boxes from a detector, names from a classifier: the whole picture, what is found and what is pointed at, each looked at as a crop of
// its own (in the manner of R-CNN, Girshick et al. 2014).
#pragma once
#include <memory>
#include <vector>

#include "engine/encoders/efficientnet_lite.h"
#include "engine/encoders/proposal_head.h"
#include "engine/encoders/region_crops.h"
#include "engine/encoders/ssdlite_mobilenet_v2.h"

namespace lava {

class DetectorRegions final : public VisionEncoder {
 public:
  static constexpr int detector_classes = ssd::classes - 1;
  // Embedding | roots of the detector's class probabilities | colours | score | 1 where the place was pointed at.
  static constexpr int classes_at = EfficientnetLite::width, colours_at = classes_at + detector_classes;
  static constexpr int score_at = colours_at + regions::colour_features, object_width = score_at + 2;

  struct Sources {
    const io::TensorSource& detector;
    const io::TensorSource& proposals;
    const io::TensorSource& classifier;
  };
  static Result<std::unique_ptr<DetectorRegions>> load(Weights& weights, const Sources& sources, const ssd::Rules& rules);

  const EncoderInfo& info() const override { return info_; }
  const SsdliteMobilenetV2* detector() const override { return detector_.get(); }
  // The one grid is the cell [1, 1, object_width + 1000] of the whole picture: its features and class probabilities. Objects: largest
  // found ones first, then the places pointed at, each with features and probabilities.
  Result<Features> encode(Run& run, std::span<const View> views, const media::Picture& picture, const Signals& wanted) override;

 private:
  struct Region {
    Box box;
    float score = 1;
    std::vector<float> classes;  // [detector_classes], or empty
    bool pointed = false;
  };

  DetectorRegions() = default;
  Result<std::vector<Region>> find(Run& run, const View& view, const media::Picture& picture, int most) const;
  Result<void> describe(Run& run, std::span<const Region> regions, const media::Picture& picture, const Tensor& x, const Tensor& probabilities) const;

  EncoderInfo info_;
  ssd::Rules rules_;
  std::unique_ptr<SsdliteMobilenetV2> detector_;
  std::unique_ptr<ProposalHead> proposals_;
  std::unique_ptr<EfficientnetLite> classifier_;
};

}  // namespace lava
