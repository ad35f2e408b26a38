#include "engine/encoders/view_pixels.h"

#include <fmt/format.h>

#include <span>
#include <vector>

namespace lava {

Result<void> view_pixels(Run& run, const media::Picture& picture, const View& view, const EncoderInfo& info, const Tensor& pixels) {
  const Size wanted{pixels.extent[2], pixels.extent[1]};
  if (!(view.size == wanted))
    return fail(Error::Kind::invalid, "The picture is cut into views that the vision tower cannot read",
                fmt::format("views of {} x {} pixels, the tower reads {} x {}", view.size.width, view.size.height, wanted.width, wanted.height),
                "Check the processor settings beside the model");
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

}  // namespace lava
