// View pixels -> feature grids. One file per tower.
#pragma once
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "engine/core/prompt.h"
#include "engine/media/picture.h"
#include "engine/partition/partitioner.h"
#include "kernels/run.h"

namespace lava {

// What a later step wants besides the grids; asked for before the run, so that nobody pays for what is not used.
struct Signals {
  std::vector<int> layers;         // further hidden states
  std::vector<int> cls_attention;  // layers whose CLS attention is wanted
  bool objects = false;
  std::vector<Box> places;  // pointed at by the user, on the padded square: objects after those that are found
};

struct EncoderInfo {
  int width = 0;            // channels of a grid cell
  int grid_h = 0, grid_w = 0;  // cells of one view
  int image_size = 0;       // side of the square view in pixels
  int object_width = 0;        // features of an object; 0 when the tower finds none
  int object_classes = 0;      // class probabilities of an object
  std::array<float, 3> mean{}, std{1, 1, 1};
  bool takes_places = false;  // looks at what Signals::places point at
};

// Tensors live in the run's arena until the scope of the caller ends.
struct Features {
  std::vector<Tensor> grids;          // per view: f32 [h, w, width]
  std::vector<Tensor> layers;         // other layers asked for
  std::vector<Tensor> cls_attention;  // per asked layer: [views, patches]
  std::vector<Object> objects;
  std::vector<Tensor> object_features;  // per object: f32 [object_width]
  std::vector<Tensor> object_classes;   // per object: f32 [classes], probabilities, when the tower names classes
};

class SsdliteMobilenetV2;

class VisionEncoder {
 public:
  virtual ~VisionEncoder() = default;
  virtual const EncoderInfo& info() const = 0;
  // Checks run.cancelled() between layers. With a planning arena it only measures memory (pictures may then be empty).
  virtual Result<Features> encode(Run&, std::span<const View> views, const media::Picture& picture, const Signals& wanted) = 0;
  // The part that finds and names objects by itself; nullptr where there is none.
  virtual const SsdliteMobilenetV2* detector() const { return nullptr; }
};

}  // namespace lava
