// A class-agnostic head on the detector's maps: for every anchor, whether anything stands there, and a better box.
#pragma once
#include <array>
#include <memory>

#include "engine/encoders/convolutions.h"
#include "engine/encoders/ssdlite_mobilenet_v2.h"

namespace lava {

class ProposalHead {
 public:
  static constexpr int values = 5;  // logit of "something", corrections of ty tx th tw

  static Result<std::unique_ptr<ProposalHead>> load(Weights& weights, const io::TensorSource& source);

  // [anchors, 5] in the arena, in the order of the detector's anchors.
  Tensor forward(Run& run, const std::array<Tensor, ssd::maps>& maps) const;

 private:
  struct Level {
    conv::Pointwise reduce, out;
    conv::Window depthwise;
  };

  ProposalHead() = default;
  std::array<Level, ssd::maps> levels_;
};

}  // namespace lava
