// Which views of a picture a model sees: pure functions of the size, so that the window can show them before a question is sent.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "engine/media/picture.h"
#include "engine/media/resize.h"
#include "kernels/result.h"

namespace lava {

enum class ViewRole : uint8_t { base, tile, high_resolution };

// A recipe: lay the picture on `before`, resize to `resized`, lay that on `after`, cut out `cut`. Unused sheets are skipped.
struct View {
  ViewRole role = ViewRole::base;
  Size size;    // of the finished view
  Rect source;  // pixels of the upright picture that it shows, rounded outwards; the rest of the view is padding
  int row = 0, column = 0;        // place among the tiles
  int grid_rows = 0, grid_columns = 0;  // all tiles; 0 when the picture is not tiled

  media::Sheet before;
  Size resized;
  media::Filter filter = media::Filter::bicubic;
  media::Sheet after;
  Rect cut;
};

class Partitioner {
 public:
  virtual ~Partitioner() = default;
  virtual std::string_view name() const = 0;
  // At least one view; the base view comes first, tiles row by row.
  virtual Result<std::vector<View>> views(Size image, int pictures_in_prompt) const = 0;
};

media::Picture render_view(const media::Picture& picture, const View& view);
// The rectangle of the upright picture that the part `inside` of a finished view shows (for overlays), clipped to the picture.
Rect source_of(const View& view, Size image, Rect inside);

}  // namespace lava
