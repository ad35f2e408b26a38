// One view of a picture as numbers.
#pragma once
#include "engine/encoders/vision_encoder.h"

namespace lava {

// pixels f32 [3, h, w] = (rgb / 255 - mean) / std of the cut, resized and padded view; nothing in a planning run.
Result<void> view_pixels(Run& run, const media::Picture& picture, const View& view, const EncoderInfo& info, const Tensor& pixels);

// patches f32 [(side / patch)^2, 3 * patch * patch]: the same pixels of a square view, cut as by ops::patchify.
Result<void> view_patches(Run& run, const media::Picture& picture, const View& view, const EncoderInfo& info, int patch, const Tensor& patches);

}  // namespace lava
