// Puts the projected rows of the views where the prompt wants them: counts come from pack_plan, this moves the values.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/prompt.h"
#include "engine/partition/unpad.h"

namespace lava {

class Packer {
 public:
  Packer(Size image, std::span<const View> views, const PackSettings& settings);

  int rows() const { return plan_.tokens; }
  std::vector<RowInfo> info() const;
  // Copies the rows [cells, width] of one view to their places in `out` [rows(), width]. Every view once, in any order; `out` starts as
  // zeros, because cells of a reduced map are sums over neighbouring tiles.
  void place(int view, const float* rows, int width, float* out) const;
  void place_newlines(const float* newline, int width, float* out) const;

 private:
  // A row or column of the shown map as a mixture of two lines of the joined map.
  struct Tap {
    int low, high;
    float weight;  // of high
  };
  static std::vector<Tap> taps(int shown, int kept, int crop);
  int64_t map_row(int y, int x) const;  // index in the prompt
  int view_at(int map_y, int map_x) const;

  std::span<const View> views_;
  PackSettings settings_;
  PackPlan plan_;
  std::vector<Tap> vertical_, horizontal_;
};

}  // namespace lava
