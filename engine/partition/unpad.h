// Where the features of the views go in the prompt: counts and crops as pure functions of sizes.
#pragma once
#include <span>

#include "engine/partition/partitioner.h"

namespace lava {

enum class PackMode : uint8_t {
  flat,           // all views one after another
  spatial,        // the base view, then the tiles joined to one map, row by row
  spatial_unpad,  // as spatial, without the padding, a newline vector after every row
};

struct PackSettings {
  PackMode mode = PackMode::flat;
  Size cells;         // of one view's feature grid: columns, rows
  int max_tiles = 0;  // anyres_max_N: a larger map is reduced; 0 = never
};

// For a single view: `base` rows, and one newline after them in the mode spatial_unpad. Sizes in cells (columns, rows).
struct PackPlan {
  int base_tokens = 0;
  Size map;                         // the joined tiles; 0 x 0 without tiles
  int crop_columns = 0, crop_rows = 0;  // taken away on both sides of the map
  Size kept;                        // after the crop
  Size shown;                       // after the bilinear reduction; equal to `kept` without one
  int newlines = 0;
  int tokens = 0;                   // everything

  bool reduced() const { return !(shown == kept); }
};

PackPlan pack_plan(Size image, std::span<const View> views, const PackSettings& settings);

}  // namespace lava
