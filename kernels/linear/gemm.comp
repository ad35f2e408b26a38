// Many rows (gemm.glsl) in float32: an invocation keeps a few results in registers.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "gemm.glsl"

const uint rows_each = tile_rows / (threads / 16), fours_each = tile_outputs / 64;  // results of an invocation: rows, and four outputs at a time
const uint x_pitch = tile_rows + 4, w_pitch = tile_outputs + 4;
shared float x_tile[32 * x_pitch];
shared float w_tile[32 * w_pitch];

void put_weights(uint row, uint j, vec4 a, vec4 b) {
  for (uint i = 0; i < 4; ++i) w_tile[(4 * j + i) * w_pitch + row] = a[i], w_tile[(16 + 4 * j + i) * w_pitch + row] = b[i];
}
void put_x(uint row, uint j, vec4 a, vec4 b) {
  for (uint i = 0; i < 4; ++i) x_tile[(4 * j + i) * x_pitch + row] = a[i], x_tile[(16 + 4 * j + i) * x_pitch + row] = b[i];
}
// The squares take the place of x.
void put_squares(uint row, uint j, float squares) { x_tile[4 * row + j] = squares; }
vec4 squares_of(uint row) { return vec4(x_tile[4 * row], x_tile[4 * row + 1], x_tile[4 * row + 2], x_tile[4 * row + 3]); }

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
    const float factor = row_factor(row);
    for (uint f = 0; f < fours_each; ++f)
      for (uint c = 0; c < 4; ++c)
        finish(gl_WorkGroupID.y * tile_rows + row, gl_WorkGroupID.x * tile_outputs + 64 * f + 4 * tx + c, sum[fours_each * i + f][c] * factor);
  }
}
