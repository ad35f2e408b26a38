#include "engine/encoders/view_pixels.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "kernels/ops.h"

namespace lava {
namespace {

Result<void> check_size(const View& view, Size wanted) {
  if (view.size == wanted) return {};
  return fail(Error::Kind::invalid, "The picture is cut into views that the vision tower cannot read",
              fmt::format("views of {} x {} pixels, the tower reads {} x {}", view.size.width, view.size.height, wanted.width, wanted.height),
              "Check the processor settings beside the model");
}

// Straight from the bytes of the picture, which the processor reads where they lie.
void cut_bytes(Run& run, const media::Picture& shown, const EncoderInfo& info, int patch, const Tensor& patches) {
  const auto scope = run.arena.scope();
  const Tensor table = run.arena.f32({3, 256});
  Tensor bytes(DType::u8, {shown.height, shown.width, 3}, const_cast<uint8_t*>(shown.rgb.data()));
  const media::PixelTable values = media::pixel_table(info.mean, info.std);
  run.device.upload(table.data, std::as_bytes(std::span(values)));
  if (!run.device.info().host_memory) {
    bytes.data = static_cast<std::byte*>(run.arena.allocate(shown.rgb.size()));
    run.device.upload(bytes.data, std::as_bytes(std::span(shown.rgb)));
  }
  ops::patchify_bytes(run, patches, bytes, table, patch);
}

}  // namespace

Result<void> view_pixels(Run& run, const media::Picture& picture, const View& view, const EncoderInfo& info, const Tensor& pixels) {
  const Size wanted{pixels.extent[2], pixels.extent[1]};
  LAVA_CHECK_OK(check_size(view, wanted));
  if (run.planning()) return {};
  const media::Picture shown = render_view(picture, view);
  LAVA_CHECK(shown.size() == wanted);
  if (run.device.info().host_memory) {
    media::to_tensor(shown, info.mean, info.std, pixels.f32());
    return {};
  }
  std::vector<float> values(static_cast<size_t>(pixels.elements()));
  media::to_tensor(shown, info.mean, info.std, values.data());
  run.device.upload(pixels.data, std::as_bytes(std::span(values)));
  return {};
}

Result<void> view_patches(Run& run, const media::Picture& picture, const View& view, const EncoderInfo& info, int patch, const Tensor& patches) {
  const int64_t side = info.image_size;
  LAVA_CHECK_OK(check_size(view, {info.image_size, info.image_size}));
  if (run.device.info().fuses) {
    cut_bytes(run, render_view(picture, view), info, patch, patches);
    return {};
  }
  const auto scope = run.arena.scope();
  const Tensor pixels = run.arena.tensor(DType::u8, {std::max(12 * side * side, 3 * side * side + 4096)});  // planned for either way
  const Tensor floats(DType::f32, {3, side, side}, pixels.data);
  LAVA_CHECK_OK(view_pixels(run, picture, view, info, floats));
  ops::patchify(run, patches, floats, patch);
  return {};
}

}  // namespace lava
