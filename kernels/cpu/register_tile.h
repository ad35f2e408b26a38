// The tile under products of many rows: columns of a panel times rows of x, summed in registers. What a Product multiplies is its own affair:
//   Value, load(const Value*) and splat(Value) of its vectors, add(sum, a, b) into a vector of floats.
// A panel is [depth][columns]. Included only by *_cpu.cpp files.
#pragma once
#include "kernels/cpu/simd.h"

namespace lava::LAVA_ISA {
namespace {

constexpr int tile_vectors = lanes == 16 ? 4 : 2, tile_tokens = 6;  // 24 accumulators of 32 registers, or 12 of 16

// out[t][r] (+)= sum over k of panel[k][r] x[t][k], for R vectors of columns and T rows of x; `valid` columns are stored.
template <class Product, int R, int T>
void register_tile(const typename Product::Value* HWY_RESTRICT panel, int64_t stride, int64_t depth, const typename Product::Value* HWY_RESTRICT x,
                   int64_t x_stride, float* out, int64_t out_stride, int64_t valid, bool add) {
  FloatVec sum[R][T];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) sum[r][t] = hn::Zero(df);
  }
  for (int64_t k = 0; k < depth; ++k) {
    decltype(Product::load(panel)) w[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) w[r] = Product::load(panel + k * stride + r * lanes);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const auto xt = Product::splat(x[t * x_stride + k]);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sum[r][t] = Product::add(sum[r][t], w[r], xt);
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) put(sum[r][t], out + t * out_stride + r * lanes, valid - r * lanes, add);
  }
}

template <class Value>
using RegisterTile = void (*)(const Value*, int64_t, int64_t, const Value*, int64_t, float*, int64_t, int64_t, bool);
template <class Product, int R>
constexpr RegisterTile<typename Product::Value> register_tiles[tile_tokens] = {register_tile<Product, R, 1>, register_tile<Product, R, 2>, register_tile<Product, R, 3>,
                                                                              register_tile<Product, R, 4>, register_tile<Product, R, 5>, register_tile<Product, R, 6>};

// Up to tile_tokens rows of x against all `columns` (whole vectors) of a panel.
template <class Product>
HWY_INLINE void multiply_columns(const typename Product::Value* panel, int64_t columns, int64_t stride, int64_t depth, const typename Product::Value* x, int64_t x_stride,
                                 int64_t tokens, float* out, int64_t out_stride, int64_t valid, bool add) {
  int64_t r = 0;
  const auto step = [&](auto tile, int64_t width) HWY_ATTR {
    for (; r + width <= columns; r += width) tile(panel + r, stride, depth, x, x_stride, out + r, out_stride, valid - r, add);
  };
  step(register_tiles<Product, tile_vectors>[tokens - 1], tile_vectors * lanes);
  step(register_tiles<Product, 2>[tokens - 1], 2 * lanes);
  step(register_tiles<Product, 1>[tokens - 1], lanes);
}

}  // namespace
}  // namespace lava::LAVA_ISA
