// out = act(x W^T + bias), or out +=, or out = act(...) * other, for one target. Two ways from one source, by the number of rows of x:
// few: a workgroup of 256 takes 16 outputs and up to `columns` rows of x; its invocations share out the values along `in`, so a weight is read once.
// many: tiles of 16 rows_each x 64 results; weights and x are widened to float32 in shared memory, 32 values along `in` at a time.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "math.glsl"
#include "weights.glsl"

layout(constant_id = 4) const bool tiled = false;
layout(constant_id = 5) const uint columns = 1;   // few: rows of x per workgroup
layout(constant_id = 6) const uint rows_each = 4;  // many: rows of x per invocation

layout(push_constant) uniform Push {
  Floats x;
  Words weight;
  Floats bias, out_, other;  // null: none
  uint rows, in_, outputs, x_stride, out_stride, other_stride, kind, accumulate;
};

bool given(Floats p) { return uvec2(p) != uvec2(0); }

void finish(uint row, uint output_, float sum) {
  if (row >= rows || output_ >= outputs) return;
  if (given(bias)) sum += bias.v[output_];
  float value = activate(kind, sum);
  if (given(other)) value *= other.v[row * other_stride + output_];
  const uint at = row * out_stride + output_;
  out_.v[at] = accumulate != 0 ? out_.v[at] + value : value;
}

uint units() { return (in_ + 31) / 32; }

// --- few rows ---
const uint partial_count = tiled ? 1 : 256 * columns;
shared float partials[partial_count];

void multiply_few() {
  // Neighbours read neighbouring bytes: of 16 interleaved rows, or along one row.
  const uint t = gl_LocalInvocationID.x;
  const uint r = interleaved ? t % 16 : t / 16, j = interleaved ? t / 16 % 4 : t % 4, slice = interleaved ? t / 64 : t / 4 % 4;
  const uint output_ = min(gl_WorkGroupID.x * 16 + r, interleaved ? 0xffffffffu : outputs - 1), first = gl_WorkGroupID.y * columns;
  float sum[columns];
  for (uint c = 0; c < columns; ++c) sum[c] = 0.0;
  for (uint unit = slice; unit < units(); unit += 4) {
    const Eight w = widen(weight, output_, unit, j, in_);
    for (uint c = 0; c < columns; ++c) {
      const uint at = min(first + c, rows - 1) * x_stride, k = 32 * unit + 4 * j;
      sum[c] += dot(w.a, four_floats(x, at, k, in_)) + dot(w.b, four_floats(x, at, k + 16, in_));
    }
  }
  for (uint c = 0; c < columns; ++c) partials[256 * c + t] = sum[c];
  barrier();
  if (t >= 16 * columns) return;
  float total = 0.0;
  for (uint i = 0; i < 16; ++i) total += partials[256 * (t / 16) + (interleaved ? t % 16 + 16 * i : 16 * (t % 16) + i)];
  finish(first + t / 16, gl_WorkGroupID.x * 16 + t % 16, total);
}

// --- many rows ---
const uint tile_rows = 16 * rows_each;
const uint x_pitch = tile_rows + 4, w_pitch = 68;
shared float x_tile[tiled ? 32 * x_pitch : 1];
shared float w_tile[tiled ? 32 * w_pitch : 1];

void load_tiles(uint unit) {
  const uint t = gl_LocalInvocationID.x;
  const uint w_row = interleaved ? t % 16 + 16 * (t / 64) : t / 4, w_j = interleaved ? t / 16 % 4 : t % 4;
  const uint padded = (outputs + 15) / 16 * 16;
  const Eight w = widen(weight, min(gl_WorkGroupID.x * 64 + w_row, (interleaved ? padded : outputs) - 1), unit, w_j, in_);
  for (uint i = 0; i < 4; ++i) w_tile[(4 * w_j + i) * w_pitch + w_row] = w.a[i], w_tile[(16 + 4 * w_j + i) * w_pitch + w_row] = w.b[i];
  if (t >= 4 * tile_rows) return;
  const uint x_row = t / 4, x_j = t % 4, at = min(gl_WorkGroupID.y * tile_rows + x_row, rows - 1) * x_stride, k = 32 * unit + 4 * x_j;
  const vec4 a = four_floats(x, at, k, in_), b = four_floats(x, at, k + 16, in_);
  for (uint i = 0; i < 4; ++i) x_tile[(4 * x_j + i) * x_pitch + x_row] = a[i], x_tile[(16 + 4 * x_j + i) * x_pitch + x_row] = b[i];
}

void multiply_tile() {
  const uint tx = gl_LocalInvocationID.x % 16, ty = gl_LocalInvocationID.x / 16;
  vec4 sum[rows_each];
  for (uint i = 0; i < rows_each; ++i) sum[i] = vec4(0.0);
  for (uint unit = 0; unit < units(); ++unit) {
    load_tiles(unit);
    barrier();
    // Four at a time: some compilers take minutes over more.
    [[dont_unroll]] for (uint first = 0; first < 32; first += 4) {
      for (uint k = first; k < first + 4; ++k) {
        const uint at = k * w_pitch + 4 * tx;
        const vec4 w = vec4(w_tile[at], w_tile[at + 1], w_tile[at + 2], w_tile[at + 3]);
        for (uint i = 0; i < rows_each; ++i) sum[i] += x_tile[k * x_pitch + rows_each * ty + i] * w;
      }
    }
    barrier();
  }
  for (uint i = 0; i < rows_each; ++i)
    for (uint c = 0; c < 4; ++c) finish(gl_WorkGroupID.y * tile_rows + rows_each * ty + i, gl_WorkGroupID.x * 64 + 4 * tx + c, sum[i][c]);
}

void main() {
  if (tiled) multiply_tile();
  else multiply_few();
}
