#include "engine/connectors/mlp.h"

#include <fmt/format.h>

#include <span>

#include "engine/connectors/packing.h"
#include "engine/io/names.h"
#include "kernels/ops.h"

namespace lava {
namespace {

constexpr int max_layers = 4;

tl::unexpected<Error> no_projector(const io::TensorSource& source) {
  return fail(Error::Kind::invalid, "The model has no projector between its vision tower and its language model",
              source.describe() + " has neither mm_projector nor multi_modal_projector tensors", "Check that the download is complete");
}

// prefix + 0, 2, 4 ... as torch's Sequential numbers them, the activations lying between.
std::vector<std::string> numbered(const io::TensorSource& source, const std::string& prefix) {
  std::vector<std::string> layers;
  for (int i = 0; i < 2 * max_layers && source.find(fmt::format("{}{}.weight", prefix, i)); i += 2) layers.push_back(fmt::format("{}{}", prefix, i));
  return layers;
}

std::string first_of(const io::TensorSource& source, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (source.find(name)) return name;
  return {};
}

// Where the host may read the rows: in place, or downloaded into `host`.
const float* host_rows(Run& run, const Tensor& rows, std::vector<float>& host) {
  if (run.device.info().host_memory) return rows.f32();
  host.resize(static_cast<size_t>(rows.elements()));
  run.device.download(std::as_writable_bytes(std::span(host)), rows.data);
  return host.data();
}

Result<int64_t> rows_of(const io::TensorSource& source, const std::string& layer) {
  const io::TensorEntry* weight = source.find(layer + ".weight");
  if (!weight || weight->shape.size() != 2)
    return fail(Error::Kind::invalid, "The projector is not usable", fmt::format("{} of {} is no matrix", io::printable(layer), source.describe()));
  return weight->shape[0];
}

}  // namespace

Result<MlpLayout> MlpLayout::find(const io::TensorSource& source) {
  MlpLayout layout;
  layout.newline = first_of(source, {"image_newline", "model.image_newline"});
  for (const std::string prefix : {"multi_modal_projector.linear_", "model.multi_modal_projector.linear_"})
    if (source.find(prefix + "1.weight")) {
      layout.layers = {prefix + "1", prefix + "2"};
      return layout;
    }
  for (const std::string prefix : {"model.mm_projector", "mm_projector"}) {
    if (source.find(prefix + ".weight")) layout.layers = {prefix};
    if (layout.layers.empty()) layout.layers = numbered(source, prefix + ".");
    if (!layout.layers.empty()) return layout;
  }
  return no_projector(source);
}

Result<MlpLayout> MlpLayout::find_gguf(const io::TensorSource& source) {
  if (source.find("mm.3.weight"))
    return fail(Error::Kind::unsupported, "The projector of this file is of a kind that is not supported", "it has norms between its layers (mlp_norm)",
                "Supported are linear and mlp projectors");
  MlpLayout layout;
  layout.newline = first_of(source, {"v.image_newline", "model.image_newline"});
  layout.layers = numbered(source, "mm.");
  if (layout.layers.empty()) return no_projector(source);
  return layout;
}

Result<std::unique_ptr<Mlp>> Mlp::load(Weights& weights, const io::TensorSource& source, const MlpLayout& layout, int in_width, int out_width,
                                       const PackSettings& pack, Precision precision) {
  std::unique_ptr<Mlp> mlp(new Mlp);
  mlp->activation_ = layout.activation, mlp->pack_ = pack, mlp->width_ = out_width;
  int64_t in = in_width;
  for (const std::string& name : layout.layers) {
    LAVA_TRY(const int64_t out, rows_of(source, name));
    Layer layer;
    LAVA_TRY(layer.weight, weights.matrix(source, name + ".weight", out, in, precision));
    if (source.find(name + ".bias")) {
      LAVA_TRY(layer.bias, weights.dense(source, name + ".bias", {out}));
    }
    mlp->layers_.push_back(layer);
    in = out;
  }
  if (in != out_width)
    return fail(Error::Kind::invalid, "The vision files belong to another language model",
                fmt::format("the projector of {} gives rows of {} values, the language model takes {}", source.describe(), in, out_width),
                "Choose the projector that was made for this model");
  if (pack.mode == PackMode::spatial_unpad) {
    LAVA_TRY(mlp->newline_, weights.values(source, layout.newline.empty() ? "image_newline" : layout.newline, out_width));
  }
  return mlp;
}

std::string Mlp::name() const {
  if (layers_.empty()) return "identity";
  return layers_.size() == 1 ? "linear" : fmt::format("mlp{}x", layers_.size());
}

ConnectorPlan Mlp::plan(std::span<const View> views, Size image, int) const {
  const Packer packer(image, views, pack_);
  return {packer.rows(), true, packer.info()};
}

Tensor Mlp::project(Run& run, const Tensor& features) const {
  Tensor x = features;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Tensor out = run.arena.f32({x.extent[0], layers_[i].weight.out});
    const LinearTarget target{layers_[i].weight, layers_[i].bias, out, i + 1 < layers_.size() ? activation_ : Activation::none};
    ops::linear(run, {&target, 1}, x);
    x = out;
  }
  return x;
}

Result<PictureRows> Mlp::fill(Run& run, std::span<const View> views, Size image, int, const Features& features) {
  LAVA_CHECK(features.grids.size() == views.size());
  const Packer packer(image, views, pack_);
  PictureRows result;
  result.width = width_;
  if (!run.planning()) {
    result.info = packer.info();
    result.rows.resize(static_cast<size_t>(packer.rows()) * static_cast<size_t>(width_));
    if (!newline_.empty()) packer.place_newlines(newline_.data(), width_, result.rows.data());
  }
  std::vector<float> host;  // rows of a view, from wherever the device keeps them
  for (size_t i = 0; i < views.size(); ++i) {
    if (run.cancelled()) return fail(Error::Kind::cancelled, "Stopped");
    const auto scope = run.arena.scope();
    const Tensor& grid = features.grids[i];
    LAVA_CHECK(grid.rows() == int64_t{pack_.cells.width} * pack_.cells.height);
    const Tensor rows = project(run, grid.reshape({grid.rows(), grid.width()}));
    if (run.planning()) continue;
    packer.place(static_cast<int>(i), host_rows(run, rows, host), width_, result.rows.data());
  }
  if (!run.planning()) LAVA_CHECK_OK(run.device.finish());
  return result;
}

}  // namespace lava
