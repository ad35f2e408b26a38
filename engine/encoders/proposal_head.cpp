#include "engine/encoders/proposal_head.h"

#include <fmt/format.h>

namespace lava {
namespace {

constexpr int middle = 64;

int64_t anchors_of(int map) { return int64_t{ssd::map_sides[static_cast<size_t>(map)]} * ssd::map_sides[static_cast<size_t>(map)] * ssd::anchors_per_cell(map); }

}  // namespace

Result<std::unique_ptr<ProposalHead>> ProposalHead::load(Weights& weights, const io::TensorSource& source) {
  std::unique_ptr<ProposalHead> head(new ProposalHead);
  for (int i = 0; i < ssd::maps; ++i) {
    Level& level = head->levels_[static_cast<size_t>(i)];
    const std::string name = fmt::format("proposals.{}.", i);
    LAVA_TRY(level.reduce, conv::load_pointwise(weights, source, name + "reduce", middle, SsdliteMobilenetV2::map_channels(i), Activation::relu6));
    LAVA_TRY(level.depthwise, conv::load_window(weights, source, name + "depthwise", {middle}));
    LAVA_TRY(level.out, conv::load_pointwise(weights, source, name + "out", ssd::anchors_per_cell(i) * values, middle, Activation::none));
  }
  return head;
}

Tensor ProposalHead::forward(Run& run, const std::array<Tensor, ssd::maps>& maps) const {
  int64_t count = 0, begin = 0;
  for (int i = 0; i < ssd::maps; ++i) count += anchors_of(i);
  const Tensor out = run.arena.f32({count, values});
  for (int i = 0; i < ssd::maps; ++i) {
    const auto scope = run.arena.scope();
    const Tensor& map = maps[static_cast<size_t>(i)];
    const Level& level = levels_[static_cast<size_t>(i)];
    const Tensor part = out.slice(begin, anchors_of(i)).reshape({map.extent[0], map.extent[1], ssd::anchors_per_cell(i) * values});
    conv::product(run, part, conv::convolve(run, conv::product(run, map, level.reduce), level.depthwise), level.out);
    begin += anchors_of(i);
  }
  return out;
}

}  // namespace lava
