#include "engine/connectors/packing.h"

#include <algorithm>
#include <cstring>

#include "kernels/check.h"

namespace lava {

Packer::Packer(Size image, std::span<const View> views, const PackSettings& settings)
    : views_(views), settings_(settings), plan_(pack_plan(image, views, settings)) {
  if (settings.mode == PackMode::flat) return;
  vertical_ = taps(plan_.shown.height, plan_.kept.height, plan_.crop_rows);
  horizontal_ = taps(plan_.shown.width, plan_.kept.width, plan_.crop_columns);
}

// Bilinear without antialiasing, half-pixel centres; the identity when nothing is reduced.
std::vector<Packer::Tap> Packer::taps(int shown, int kept, int crop) {
  std::vector<Tap> result;
  const float scale = shown > 0 ? static_cast<float>(kept) / static_cast<float>(shown) : 1;
  for (int i = 0; i < shown; ++i) {
    const float at = std::max((static_cast<float>(i) + 0.5f) * scale - 0.5f, 0.0f);
    const int low = std::min(static_cast<int>(at), kept - 1);
    result.push_back({crop + low, crop + std::min(low + 1, kept - 1), at - static_cast<float>(low)});
  }
  return result;
}

int64_t Packer::map_row(int y, int x) const {
  const int line = plan_.shown.width + (plan_.newlines > 0 ? 1 : 0);
  return plan_.base_tokens + static_cast<int64_t>(y) * line + x;
}

int Packer::view_at(int map_y, int map_x) const {
  const int row = map_y / settings_.cells.height, column = map_x / settings_.cells.width;
  for (size_t i = 0; i < views_.size(); ++i)
    if (views_[i].grid_rows > 0 && views_[i].role == ViewRole::tile && views_[i].row == row && views_[i].column == column) return static_cast<int>(i);
  LAVA_CHECK(!"a tile of the plan is missing");
  return 0;
}

std::vector<RowInfo> Packer::info() const {
  std::vector<RowInfo> info;
  info.reserve(static_cast<size_t>(plan_.tokens));
  const int w = settings_.cells.width, cells = w * settings_.cells.height;
  const auto add = [&](RowKind kind, int view, int y, int x) {
    RowInfo row;
    row.kind = kind;
    row.view = static_cast<int16_t>(view), row.y = static_cast<int16_t>(y), row.x = static_cast<int16_t>(x);
    info.push_back(row);
  };
  const bool flat = settings_.mode == PackMode::flat;
  for (int i = 0; i < (flat ? static_cast<int>(views_.size()) : 1); ++i)
    for (int cell = 0; cell < cells; ++cell) add(RowKind::image, i, cell / w, cell % w);
  if (flat) return info;
  for (const Tap& v : vertical_) {
    const int y = v.weight < 0.5f ? v.low : v.high;
    int view = 0;
    for (const Tap& h : horizontal_) {
      const int x = h.weight < 0.5f ? h.low : h.high;
      view = view_at(y, x);
      add(RowKind::image, view, y % settings_.cells.height, x % w);
    }
    if (plan_.newlines > 0) add(RowKind::separator, view, y % settings_.cells.height, -1);
  }
  if (vertical_.empty() && plan_.newlines > 0) add(RowKind::separator, 0, settings_.cells.height - 1, -1);
  return info;
}

void Packer::place(int view, const float* rows, int width, float* out) const {
  const int w = settings_.cells.width, h = settings_.cells.height;
  const size_t bytes = static_cast<size_t>(width) * sizeof(float);
  const View& place = views_[static_cast<size_t>(view)];
  if (settings_.mode == PackMode::flat || place.role != ViewRole::tile) {
    const int64_t begin = settings_.mode == PackMode::flat ? static_cast<int64_t>(view) * w * h : 0;
    std::memcpy(out + begin * width, rows, bytes * static_cast<size_t>(w) * static_cast<size_t>(h));
    return;
  }
  const int top = place.row * h, left = place.column * w;
  const auto add_cell = [&](float* target, int y, int x, float weight) {
    if (weight == 0 || y < top || y >= top + h || x < left || x >= left + w) return;
    const float* cell = rows + (static_cast<int64_t>(y - top) * w + (x - left)) * width;
    if (weight == 1) {
      std::memcpy(target, cell, bytes);
    } else {
      for (int i = 0; i < width; ++i) target[i] += weight * cell[i];
    }
  };
  for (size_t y = 0; y < vertical_.size(); ++y) {
    const Tap& v = vertical_[y];
    if (v.high < top || v.low >= top + h) continue;
    for (size_t x = 0; x < horizontal_.size(); ++x) {
      const Tap& u = horizontal_[x];
      float* target = out + map_row(static_cast<int>(y), static_cast<int>(x)) * width;
      add_cell(target, v.low, u.low, (1 - v.weight) * (1 - u.weight));
      add_cell(target, v.low, u.high, (1 - v.weight) * u.weight);
      add_cell(target, v.high, u.low, v.weight * (1 - u.weight));
      add_cell(target, v.high, u.high, v.weight * u.weight);
    }
  }
}

void Packer::place_newlines(const float* newline, int width, float* out) const {
  const size_t bytes = static_cast<size_t>(width) * sizeof(float);
  for (int i = 0; i < plan_.newlines; ++i) {
    const int64_t row = vertical_.empty() ? plan_.base_tokens : map_row(i, plan_.shown.width);
    std::memcpy(out + row * width, newline, bytes);
  }
}

}  // namespace lava
