// Many rows: out = act(x W^T + bias), or out +=, or out = act(...) * other, for one target. A workgroup computes a tile of results; weights and x are
// widened to float32 in shared memory, 32 values along `in` at a time. With a gain, x / rms(x) * gain is what is multiplied: the gain on the way
// into shared memory, 1 / rms at the end, from the squares of what passed.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "math.glsl"
#include "weights.glsl"

layout(constant_id = 4) const uint tile_rows = 64;
layout(constant_id = 5) const uint tile_outputs = 64;
layout(constant_id = 6) const uint kind = 0;  // activation
layout(constant_id = 7) const bool normed = false;

layout(push_constant) uniform Push {
  Floats x, gain;
  Words weight;
  Floats bias, out_, other;  // null: none
  uint rows, in_, outputs, x_stride, out_stride, other_stride, accumulate;
  float eps;
};

#include "product.glsl"

const uint threads = gl_WorkGroupSize.x;
const uint rows_each = tile_rows / (threads / 16), fours_each = tile_outputs / 64;  // results of an invocation: rows, and four outputs at a time
const uint loads = (4 * tile_rows + threads - 1) / threads;                         // parts of x that an invocation brings
const uint x_pitch = tile_rows + 4, w_pitch = tile_outputs + 4;
shared float x_tile[32 * x_pitch];
shared float w_tile[32 * w_pitch];

void load_weights(uint unit) {
  for (uint e = gl_LocalInvocationID.x; e < 4 * tile_outputs; e += threads) {
    const Part part = part_of(e);
    const Eight w = widen(weight, min(gl_WorkGroupID.x * tile_outputs + part.row, last_row(outputs)), unit, part.j, in_);
    for (uint i = 0; i < 4; ++i) w_tile[(4 * part.j + i) * w_pitch + part.row] = w.a[i], w_tile[(16 + 4 * part.j + i) * w_pitch + part.row] = w.b[i];
  }
}

void load_x(uint unit, inout float squares[loads]) {
  for (uint n = 0; n < loads; ++n) {
    const uint e = gl_LocalInvocationID.x + n * threads, row = e / 4, j = e % 4, k = 32 * unit + 4 * j;
    if (e >= 4 * tile_rows) break;
    const uint at = min(gl_WorkGroupID.y * tile_rows + row, rows - 1) * x_stride;
    vec4 a = four_floats(x, at, k, in_), b = four_floats(x, at, k + 16, in_);
    if (normed) {
      squares[n] += dot(a, a) + dot(b, b);
      a *= four_floats(gain, 0, k, in_), b *= four_floats(gain, 0, k + 16, in_);
    }
    for (uint i = 0; i < 4; ++i) x_tile[(4 * j + i) * x_pitch + row] = a[i], x_tile[(16 + 4 * j + i) * x_pitch + row] = b[i];
  }
}

// The squares of the tile's rows, four parts of each, take the place of x.
void keep_squares(float squares[loads]) {
  for (uint n = 0; n < loads; ++n) {
    const uint e = gl_LocalInvocationID.x + n * threads;
    if (e < 4 * tile_rows) x_tile[e] = squares[n];
  }
  barrier();
}

void finish(uint row, uint output_, float sum) {
  if (row >= rows || output_ >= outputs) return;
  if (given(bias)) sum += bias.v[output_];
  float value = activate(kind, sum);
  if (given(other)) value *= other.v[row * other_stride + output_];
  const uint at = row * out_stride + output_;
  out_.v[at] = accumulate != 0 ? out_.v[at] + value : value;
}

void main() {
  const uint tx = gl_LocalInvocationID.x % 16, ty = gl_LocalInvocationID.x / 16;
  vec4 sum[rows_each * fours_each];
  float squares[loads];
  for (uint i = 0; i < rows_each * fours_each; ++i) sum[i] = vec4(0.0);
  for (uint n = 0; n < loads; ++n) squares[n] = 0.0;
  for (uint unit = 0; unit < unit_count(); ++unit) {
    load_weights(unit);
    load_x(unit, squares);
    barrier();
    // Four at a time: some compilers take minutes over more.
    [[dont_unroll]] for (uint first = 0; first < 32; first += 4) {
      for (uint k = first; k < first + 4; ++k) {
        for (uint f = 0; f < fours_each; ++f) {
          const uint at = k * w_pitch + 64 * f + 4 * tx;
          const vec4 w = vec4(w_tile[at], w_tile[at + 1], w_tile[at + 2], w_tile[at + 3]);
          for (uint i = 0; i < rows_each; ++i) sum[fours_each * i + f] += x_tile[k * x_pitch + rows_each * ty + i] * w;
        }
      }
    }
    barrier();
  }
  if (normed) keep_squares(squares);
  for (uint i = 0; i < rows_each; ++i) {
    const uint row = rows_each * ty + i;
    const float factor = normed ? norm_factor(x_tile[4 * row] + x_tile[4 * row + 1] + x_tile[4 * row + 2] + x_tile[4 * row + 3], eps) : 1.0;
    for (uint f = 0; f < fours_each; ++f)
      for (uint c = 0; c < 4; ++c)
        finish(gl_WorkGroupID.y * tile_rows + row, gl_WorkGroupID.x * tile_outputs + 64 * f + 4 * tx + c, sum[fours_each * i + f][c] * factor);
  }
}
