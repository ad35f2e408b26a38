#include "engine/media/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/check.h"

namespace lava::media {
namespace {

constexpr int precision_bits = 32 - 8 - 2;

double kernel(Filter filter, double x) {
  x = std::abs(x);
  if (filter == Filter::bilinear) return x < 1.0 ? 1.0 - x : 0.0;
  constexpr double a = -0.5;
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// For output sample i of `first ... first + count`: the input samples start[i] ... start[i] + taps[i] and their weights in 2^-22.
struct Weights {
  int stride = 0;
  std::vector<int> start, taps;
  std::vector<int32_t> values;  // [count, stride]

  const int32_t* of(int i) const { return values.data() + static_cast<size_t>(i) * static_cast<size_t>(stride); }
  int begin() const { return start.front(); }
  int end() const {
    int last = 0;
    for (size_t i = 0; i < start.size(); ++i) last = std::max(last, start[i] + taps[i]);
    return last;
  }
};

// Sample i of the result lies at `origin` + (i + .5) * `scale` of the input, which has `in` samples.
Weights make_weights(Filter filter, int in, double origin, double scale, int first, int count) {
  const double filter_scale = std::max(scale, 1.0);
  const double support = (filter == Filter::bicubic ? 2.0 : 1.0) * filter_scale, inverse = 1.0 / filter_scale;
  Weights weights;
  weights.stride = std::min(static_cast<int>(std::ceil(support)) * 2 + 1, in);
  weights.values.resize(static_cast<size_t>(weights.stride) * static_cast<size_t>(count));
  std::vector<double> row(static_cast<size_t>(weights.stride));
  for (int i = 0; i < count; ++i) {
    const double centre = origin + (first + i + 0.5) * scale;
    const int low = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int taps = std::min(static_cast<int>(centre + support + 0.5), in) - low;
    double sum = 0;
    for (int k = 0; k < taps; ++k) sum += row[static_cast<size_t>(k)] = kernel(filter, (k + low - centre + 0.5) * inverse);
    int32_t* to = weights.values.data() + static_cast<size_t>(i) * static_cast<size_t>(weights.stride);
    for (int k = 0; k < taps; ++k) {
      const double value = row[static_cast<size_t>(k)] / (sum != 0 ? sum : 1.0) * (1 << precision_bits);
      to[k] = static_cast<int32_t>(value < 0 ? value - 0.5 : value + 0.5);
    }
    weights.start.push_back(low);
    weights.taps.push_back(taps);
  }
  return weights;
}

uint8_t clip(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> precision_bits, 0, 255)); }

// Rows of the picture as they lie on the sheet.
class Source {
 public:
  Source(const Picture& picture, const Sheet& sheet) : picture_(picture), sheet_(sheet), size_(sheet.used() ? sheet.size : picture.size()) {
    if (!sheet.used()) return;
    LAVA_CHECK(sheet.x >= 0 && sheet.y >= 0 && sheet.x + picture.width <= size_.width && sheet.y + picture.height <= size_.height);
    blank_.resize(static_cast<size_t>(size_.width) * 3);
    fill(blank_.data(), size_.width);
    line_ = blank_;
  }

  Size size() const { return size_; }
  int left() const { return sheet_.used() ? sheet_.x : 0; }  // columns that are not blank
  int right() const { return left() + picture_.width; }
  bool blank(int y) const { return sheet_.used() && (y < sheet_.y || y >= sheet_.y + picture_.height); }
  const uint8_t* row(int y) {  // valid until the next call
    if (!sheet_.used()) return picture_.row(y);
    if (blank(y)) return blank_.data();
    std::memcpy(line_.data() + static_cast<size_t>(sheet_.x) * 3, picture_.row(y - sheet_.y), static_cast<size_t>(picture_.width) * 3);
    return line_.data();
  }
  void fill(uint8_t* to, int pixels) const {
    for (int x = 0; x < pixels; ++x, to += 3) std::copy(sheet_.colour.begin(), sheet_.colour.end(), to);
  }

 private:
  const Picture& picture_;
  Sheet sheet_;
  Size size_;
  std::vector<uint8_t> blank_, line_;
};

// One axis of a resize: which samples of the result are wanted, and of which samples of the input they are made.
struct Axis {
  int in = 0, out = 0, first = 0, count = 0;
  Weights weights;  // unused when the size stays

  Axis(Filter filter, int in_size, int out_size, int from, int wanted) : in(in_size), out(out_size), first(from), count(wanted) {
    if (!same()) weights = make_weights(filter, in, 0, static_cast<double>(in) / out, first, count);
  }
  // The stretch from `from` to `to` of the input, which need not begin at a sample.
  Axis(Filter filter, int in_size, float from, float to, int wanted)
      : in(in_size), count(wanted), weights(make_weights(filter, in, from, static_cast<double>(to - from) / wanted, 0, wanted)) {}
  bool same() const { return in == out; }
  int begin() const { return same() ? first : weights.begin(); }
  int end() const { return same() ? first + count : weights.end(); }
};

// Samples low ... high of the wanted ones; `in` points at input sample `begin`.
void squeeze_row(const uint8_t* in, int begin, const Axis& axis, int low, int high, uint8_t* out) {
  out += static_cast<size_t>(low) * 3;
  for (int x = low; x < high; ++x, out += 3) {
    const uint8_t* from = in + static_cast<size_t>(axis.weights.start[static_cast<size_t>(x)] - begin) * 3;
    const int32_t* w = axis.weights.of(x);
    int32_t red = 1 << (precision_bits - 1), green = red, blue = red;
    for (int k = 0, taps = axis.weights.taps[static_cast<size_t>(x)]; k < taps; ++k, from += 3) {
      red += from[0] * w[k];
      green += from[1] * w[k];
      blue += from[2] * w[k];
    }
    out[0] = clip(red), out[1] = clip(green), out[2] = clip(blue);
  }
}

// Rows `top` ... of the source, narrowed to the wanted columns. Columns that see nothing of the picture have the colour of the sheet.
Picture horizontal(Source& source, const Axis& axis, int top, int height) {
  Picture out = blank_picture({axis.count, height}, 0, 0, 0);
  int low = 0, high = axis.count;
  if (!axis.same()) {
    const auto& [stride, start, taps, values] = axis.weights;
    while (low < high && start[static_cast<size_t>(low)] + taps[static_cast<size_t>(low)] <= source.left()) ++low;
    while (high > low && start[static_cast<size_t>(high - 1)] >= source.right()) --high;
  }
  for (int y = 0; y < height; ++y) {
    if (source.blank(top + y))
      source.fill(out.row(y), axis.count);
    else if (axis.same())
      std::memcpy(out.row(y), source.row(top + y) + static_cast<size_t>(axis.first) * 3, static_cast<size_t>(axis.count) * 3);
    else {
      if (high - low < axis.count) source.fill(out.row(y), axis.count);
      squeeze_row(source.row(top + y), 0, axis, low, high, out.row(y));
    }
  }
  return out;
}

// Columns `left` ... `left + width` of the source, with the wanted rows.
Picture vertical(Source& source, const Axis& axis, int top, int left, int width) {
  Picture out = blank_picture({width, axis.count}, 0, 0, 0);
  const size_t bytes = static_cast<size_t>(width) * 3, skip = static_cast<size_t>(left) * 3;
  std::vector<int32_t> sums(bytes);
  for (int y = 0; y < axis.count; ++y) {
    uint8_t* to = out.row(y);
    if (axis.same()) {
      std::memcpy(to, source.row(axis.first + y - top) + skip, bytes);
      continue;
    }
    std::fill(sums.begin(), sums.end(), 1 << (precision_bits - 1));
    const int start = axis.weights.start[static_cast<size_t>(y)] - top;
    for (int k = 0; k < axis.weights.taps[static_cast<size_t>(y)]; ++k) {
      const uint8_t* from = source.row(start + k) + skip;
      const int32_t w = axis.weights.of(y)[k];
      for (size_t i = 0; i < bytes; ++i) sums[i] += from[i] * w;
    }
    for (size_t i = 0; i < bytes; ++i) to[i] = clip(sums[i]);
  }
  return out;
}

}  // namespace

Picture resize_window(const Picture& picture, const Sheet& sheet, Size size, Rect window, Filter filter) {
  LAVA_CHECK(picture.width > 0 && picture.height > 0 && window.width > 0 && window.height > 0 && window.x >= 0 && window.y >= 0);
  LAVA_CHECK(window.x + window.width <= size.width && window.y + window.height <= size.height);
  Source source(picture, sheet);
  const Axis across(filter, source.size().width, size.width, window.x, window.width);
  const Axis down(filter, source.size().height, size.height, window.y, window.height);
  // Pillow (13) goes down first when the height loses more than twice what the width loses; the rounding between the passes shows.
  const int64_t lost_height = int64_t{down.in} - down.out, lost_width = int64_t{across.in} - across.out;
  if (lost_height > 0 && lost_height > 2 * lost_width) {
    const Picture flat = vertical(source, down, 0, across.begin(), across.end() - across.begin());
    if (across.same()) return flat;
    Picture out = blank_picture({window.width, window.height}, 0, 0, 0);
    for (int y = 0; y < window.height; ++y) squeeze_row(flat.row(y), across.begin(), across, 0, across.count, out.row(y));
    return out;
  }
  const Picture narrow = horizontal(source, across, down.begin(), down.end() - down.begin());
  if (down.same()) return narrow;
  Source rows(narrow, {});
  return vertical(rows, down, down.begin(), 0, window.width);
}

Picture resize_box(const Picture& picture, const Sheet& sheet, const FloatBox& box, Size size, Filter filter) {
  Source source(picture, sheet);
  const Size from = source.size();
  LAVA_CHECK(picture.width > 0 && picture.height > 0 && size.width > 0 && size.height > 0);
  LAVA_CHECK(box.x1 >= 0 && box.y1 >= 0 && box.x1 < box.x2 && box.y1 < box.y2);
  LAVA_CHECK(box.x2 <= static_cast<float>(from.width) && box.y2 <= static_cast<float>(from.height));
  const Axis across(filter, from.width, box.x1, box.x2, size.width), down(filter, from.height, box.y1, box.y2, size.height);
  const Picture narrow = horizontal(source, across, down.begin(), down.end() - down.begin());
  Source rows(narrow, {});
  return vertical(rows, down, down.begin(), 0, size.width);
}

Picture resize(const Picture& picture, Size size, Filter filter) {
  Picture out = resize_window(picture, {}, size, {0, 0, size.width, size.height}, filter);
  out.source = picture.source;
  return out;
}

Picture crop(const Picture& picture, Rect part) {
  LAVA_CHECK(part.x >= 0 && part.y >= 0 && part.width > 0 && part.height > 0);
  LAVA_CHECK(part.x + part.width <= picture.width && part.y + part.height <= picture.height);
  Picture out = blank_picture({part.width, part.height}, 0, 0, 0);
  for (int y = 0; y < part.height; ++y)
    std::memcpy(out.row(y), picture.row(part.y + y) + static_cast<size_t>(part.x) * 3, static_cast<size_t>(part.width) * 3);
  return out;
}

Sheet square_sheet(Size picture, Colour colour) {
  const int side = std::max(picture.width, picture.height);
  return {{side, side}, (side - picture.width) / 2, (side - picture.height) / 2, colour};
}

Picture pad_to_square(const Picture& picture, Colour colour) {
  const Sheet sheet = square_sheet(picture.size(), colour);
  return resize_window(picture, sheet, sheet.size, {0, 0, sheet.size.width, sheet.size.height}, Filter::bicubic);
}

PixelTable pixel_table(const std::array<float, 3>& mean, const std::array<float, 3>& std) {
  PixelTable table;
  for (size_t c = 0; c < 3; ++c)
    for (int i = 0; i < 256; ++i) table[256 * c + static_cast<size_t>(i)] = (static_cast<float>(i * (1.0 / 255)) - mean[c]) / std[c];
  return table;
}

void to_tensor(const Picture& picture, const std::array<float, 3>& mean, const std::array<float, 3>& std, float* out) {
  const PixelTable table = pixel_table(mean, std);
  const size_t pixels = static_cast<size_t>(picture.width) * static_cast<size_t>(picture.height);
  for (size_t c = 0; c < 3; ++c) {
    const float* value = table.data() + 256 * c;
    const uint8_t* from = picture.rgb.data() + c;
    for (size_t i = 0; i < pixels; ++i) out[c * pixels + i] = value[from[3 * i]];
  }
}

}  // namespace lava::media
