// Vectors run over channels ([h, w, channels] order). Pixels whose window lies inside the picture take the fast loops.
#include "kernels/conv/conv2d.h"

#include "kernels/cpu/simd_math.h"
#include "kernels/lane.h"

namespace lava::LAVA_ISA {
namespace {

struct Shape {
  const Conv2dArgs& a;
  int64_t h, w, ic, oh, ow, oc, kh, kw;
  const float *x, *weight, *bias;
  float* out;

  explicit Shape(const Conv2dArgs& args)
      : a(args), h(a.x.extent[0]), w(a.x.extent[1]), ic(a.x.extent[2]), oh(a.out.extent[0]), ow(a.out.extent[1]), oc(a.out.extent[2]),
        kh(a.weight.extent[0]), kw(a.weight.extent[1]), x(a.x.as<float>()), weight(a.weight.as<float>()), bias(a.bias.as<float>()), out(a.out.as<float>()) {}

  // Rows (columns) of the window at output row oy (column ox) that lie inside the picture.
  Span taps_y(int64_t oy) const { return clip(oy * a.stride - a.pad_top, kh, h); }
  Span taps_x(int64_t ox) const { return clip(ox * a.stride - a.pad_left, kw, w); }
  // Output columns whose window lies inside.
  Span inner() const {
    const int64_t first = (a.pad_left + a.stride - 1) / a.stride, room = w - kw + a.pad_left;
    int64_t end = room < 0 ? 0 : room / a.stride + 1;
    if (end > ow) end = ow;
    return {first < end ? first : end, end};
  }
  const float* pixel(int64_t y, int64_t column) const { return x + (y * w + column) * ic; }

 private:
  static Span clip(int64_t start, int64_t size, int64_t limit) {
    const int64_t begin = start < 0 ? -start : 0, end = start + size > limit ? limit - start : size;
    return {begin, end < begin ? begin : end};
  }
};

HWY_INLINE FloatVec load_channels(const float* p, int64_t values) { return values < lanes ? load_part(p, values) : load(p); }
HWY_INLINE void finish(const Shape& s, FloatVec sum, float* out, int64_t values) {
  sum = act(s.a.activation, sum);
  values < lanes ? store_part(sum, out, values) : store(sum, out);
}
HWY_INLINE FloatVec start(const Shape& s, int64_t channel, int64_t values) {
  return s.bias ? load_channels(s.bias + channel, values) : hn::Zero(df);
}

// ---- depthwise

void depthwise_pixel(const Shape& s, int64_t oy, int64_t ox, int64_t c, int64_t values) {
  const Span ty = s.taps_y(oy), tx = s.taps_x(ox);
  FloatVec sum = start(s, c, values);
  for (int64_t ky = ty.begin; ky < ty.end; ++ky) {
    const float* x = s.pixel(oy * s.a.stride - s.a.pad_top + ky, ox * s.a.stride - s.a.pad_left) + c;
    for (int64_t kx = tx.begin; kx < tx.end; ++kx) {
      sum = hn::MulAdd(load_channels(x + kx * s.ic, values), load_channels(s.weight + (ky * s.kw + kx) * s.oc + c, values), sum);
    }
  }
  finish(s, sum, s.out + (oy * s.ow + ox) * s.oc + c, values);
}

// Inner pixels beside each other share each weight and keep apart their sums; any side, rows of the window clipped.
constexpr int64_t together = 4;
void depthwise_pixels(const Shape& s, int64_t oy, int64_t ox, int64_t c) {
  const Span ty = s.taps_y(oy);
  const int64_t step = s.a.stride * s.ic;
  FloatVec sum[together];
  for (FloatVec& v : sum) v = start(s, c, lanes);
  for (int64_t ky = ty.begin; ky < ty.end; ++ky) {
    const float* x = s.pixel(oy * s.a.stride - s.a.pad_top + ky, ox * s.a.stride - s.a.pad_left) + c;
    const float* weight = s.weight + ky * s.kw * s.oc + c;
    for (int64_t kx = 0; kx < s.kw; ++kx, x += s.ic, weight += s.oc) {
      const FloatVec w = load(weight);
      for (int64_t p = 0; p < together; ++p) sum[p] = hn::MulAdd(load(x + p * step), w, sum[p]);
    }
  }
  for (int64_t p = 0; p < together; ++p) finish(s, sum[p], s.out + (oy * s.ow + ox + p) * s.oc + c, lanes);
}

// One vector of channels along the inner columns of a row, 3x3, all rows of the window inside: the nine weights stay in registers.
void depthwise_row_3x3(const Shape& s, int64_t oy, Span columns, int64_t c) {
  FloatVec weight[9];
  for (int t = 0; t < 9; ++t) weight[t] = load(s.weight + t * s.oc + c);
  const FloatVec bias = start(s, c, lanes);
  const int64_t row = s.w * s.ic, step = s.a.stride * s.ic;
  const float* x = s.pixel(oy * s.a.stride - s.a.pad_top, columns.begin * s.a.stride - s.a.pad_left) + c;
  float* out = s.out + (oy * s.ow + columns.begin) * s.oc + c;
  for (int64_t ox = columns.begin; ox < columns.end; ++ox, x += step, out += s.oc) {
    FloatVec top = hn::MulAdd(load(x), weight[0], bias), middle = hn::Mul(load(x + row), weight[3]), bottom = hn::Mul(load(x + 2 * row), weight[6]);
    top = hn::MulAdd(load(x + s.ic), weight[1], top);
    middle = hn::MulAdd(load(x + row + s.ic), weight[4], middle);
    bottom = hn::MulAdd(load(x + 2 * row + s.ic), weight[7], bottom);
    top = hn::MulAdd(load(x + 2 * s.ic), weight[2], top);
    middle = hn::MulAdd(load(x + row + 2 * s.ic), weight[5], middle);
    bottom = hn::MulAdd(load(x + 2 * row + 2 * s.ic), weight[8], bottom);
    store(act(s.a.activation, hn::Add(top, hn::Add(middle, bottom))), out);
  }
}

// Work items are (row, 64 channels).
void depthwise(const Shape& s, const Lane& lane) {
  constexpr int64_t part = 64;
  const int64_t parts = (s.oc + part - 1) / part;
  const auto [begin, end] = lane.share(s.oh * parts);
  for (int64_t item = begin; item < end; ++item) {
    const int64_t oy = item / parts, first = item % parts * part, last = first + part < s.oc ? first + part : s.oc;
    const Span ty = s.taps_y(oy), inner = s.inner();
    const bool fast = s.kh == 3 && s.kw == 3 && ty.begin == 0 && ty.end == 3;
    for (int64_t c = first; c < last; c += lanes) {
      const int64_t values = last - c < lanes ? last - c : lanes;
      const Span quick = values == lanes ? inner : Span{0, 0};
      int64_t ox = 0;
      for (; ox < quick.begin; ++ox) depthwise_pixel(s, oy, ox, c, values);
      if (fast && quick.begin < quick.end) depthwise_row_3x3(s, oy, quick, c), ox = quick.end;
      for (; ox + together <= quick.end; ox += together) depthwise_pixels(s, oy, ox, c);
      for (; ox < s.ow; ++ox) depthwise_pixel(s, oy, ox, c, values);
    }
  }
}

// ---- dense

// `pixels` outputs beside each other times `columns` vectors of output channels; the window columns `tx` are inside for all of them.
template <int pixels, int columns>
HWY_INLINE void dense_tile(const Shape& s, int64_t oy, int64_t ox, Span tx, int64_t c, int64_t values) {
  const Span ty = s.taps_y(oy);
  FloatVec sum[pixels][columns];
  for (int k = 0; k < columns; ++k) {
    const FloatVec bias = columns == 1 ? start(s, c, values) : start(s, c + k * lanes, lanes);
    for (int p = 0; p < pixels; ++p) sum[p][k] = bias;
  }
  const int64_t step = s.a.stride * s.ic;
  for (int64_t ky = ty.begin; ky < ty.end; ++ky) {
    // Values of a window row lie side by side, and so do their weights.
    const float* x = s.pixel(oy * s.a.stride - s.a.pad_top + ky, ox * s.a.stride - s.a.pad_left + tx.begin);
    const float* weight = s.weight + (ky * s.kw + tx.begin) * s.ic * s.oc + c;
    for (int64_t i = 0; i < (tx.end - tx.begin) * s.ic; ++i, weight += s.oc) {
      FloatVec w[columns];
      for (int k = 0; k < columns; ++k) w[k] = columns == 1 ? load_channels(weight, values) : load(weight + k * lanes);
      for (int p = 0; p < pixels; ++p) {
        const FloatVec value = splat(x[p * step + i]);
        for (int k = 0; k < columns; ++k) sum[p][k] = hn::MulAdd(value, w[k], sum[p][k]);
      }
    }
  }
  for (int p = 0; p < pixels; ++p) {
    float* out = s.out + (oy * s.ow + ox + p) * s.oc + c;
    for (int k = 0; k < columns; ++k) finish(s, sum[p][k], out + k * lanes, columns == 1 ? values : lanes);
  }
}

template <int columns>
void dense_row(const Shape& s, int64_t oy, int64_t c, int64_t values) {
  constexpr int pixels = 6;
  const Span inner = s.inner();
  int64_t ox = 0;
  for (; ox < inner.begin; ++ox) dense_tile<1, columns>(s, oy, ox, s.taps_x(ox), c, values);
  for (; ox + pixels <= inner.end; ox += pixels) dense_tile<pixels, columns>(s, oy, ox, {0, s.kw}, c, values);
  for (; ox < s.ow; ++ox) dense_tile<1, columns>(s, oy, ox, s.taps_x(ox), c, values);
}

void dense(const Shape& s, const Lane& lane) {
  const auto [begin, end] = lane.share(s.oh);
  for (int64_t oy = begin; oy < end; ++oy) {
    int64_t c = 0;
    for (; c + 2 * lanes <= s.oc; c += 2 * lanes) dense_row<2>(s, oy, c, lanes);
    for (; c < s.oc; c += lanes) dense_row<1>(s, oy, c, s.oc - c < lanes ? s.oc - c : lanes);
  }
}

}  // namespace

void conv2d(const void* args, const Lane& lane) {
  const Shape shape(*static_cast<const Conv2dArgs*>(args));
  shape.a.depthwise ? depthwise(shape, lane) : dense(shape, lane);
}

}  // namespace lava::LAVA_ISA
