// Many rows (gemm.glsl) by products of small matrices: x and weights as float16, sums in float32. A subgroup keeps a rectangle of the tile's results.
// Rows of x and of the matrix are multiplied by powers of two first (gemm_powers.comp), so that none leaves the range of float16.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "cooperative.glsl"
#include "gemm.glsl"

layout(constant_id = 11) const uint subgroup = 32;  // invocations
layout(constant_id = 12) const uint across = 2;     // subgroups side by side along the outputs

const uint subgroups = threads / subgroup;
const uint down_each = tile_rows / (subgroups / across * M), across_each = tile_outputs / (across * N);  // matrices of a subgroup
const uint pitch = 10;  // of a row of 32 values, in fours: padded against bank conflicts
shared f16vec4 x_tile[tile_rows * pitch];
shared f16vec4 w_tile[tile_outputs * pitch];
shared float results[subgroups * M * N];
shared vec4 tile_squares[normed ? tile_rows : 1];
shared int x_power[tile_rows];
shared int w_power[tile_outputs];

float power_of_two(int power) { return uintBitsToFloat(uint(power + 127) << 23); }  // -126 .. 127

void put_weights(uint row, uint j, vec4 a, vec4 b) {
  const float scale = power_of_two(w_power[row]);
  w_tile[row * pitch + j] = f16vec4(a * scale), w_tile[row * pitch + 4 + j] = f16vec4(b * scale);
}
void put_x(uint row, uint j, vec4 a, vec4 b) {
  const float scale = power_of_two(x_power[row]);
  x_tile[row * pitch + j] = f16vec4(a * scale), x_tile[row * pitch + 4 + j] = f16vec4(b * scale);
}
void put_squares(uint row, uint j, float squares) { tile_squares[row][j] = squares; }
vec4 squares_of(uint row) { return tile_squares[row]; }

void load_powers() {
  for (uint row = gl_LocalInvocationID.x; row < tile_rows; row += threads) x_power[row] = x_powers.v[min(gl_WorkGroupID.y * tile_rows + row, rows - 1)];
  for (uint row = gl_LocalInvocationID.x; row < tile_outputs; row += threads) w_power[row] = w_powers.v[min(gl_WorkGroupID.x * tile_outputs + row, outputs - 1)];
  barrier();
}

// A sum of scaled products as it would be without scales; in halves, of which neither leaves the range of float32 alone.
float unscaled(float sum, int power) {
  const int half_ = power / 2;
  return sum * power_of_two(-half_) * power_of_two(half_ - power);
}

// Of the subgroup's results from (row, output) on in the tile, which lie in `results` from `first` on.
void finish_matrix(uint row, uint output_, uint first) {
  for (uint e = gl_LocalInvocationID.x % subgroup; e < M * N; e += subgroup) {
    const uint r = row + e / N, o = output_ + e % N;
    finish(gl_WorkGroupID.y * tile_rows + r, gl_WorkGroupID.x * tile_outputs + o, unscaled(results[first + e], x_power[r] + w_power[o]) * row_factor(r));
  }
}

void main() {
  const uint self = gl_LocalInvocationID.x / subgroup, row = self / across * down_each * M, output_ = self % across * across_each * N;
  MatrixC sum[down_each * across_each];
  float squares[loads];
  [[unroll]] for (uint i = 0; i < down_each * across_each; ++i) sum[i] = matrix_of(0.0);
  for (uint n = 0; n < loads; ++n) squares[n] = 0.0;
  load_powers();
  for (uint unit = 0; unit < unit_count(); ++unit) {
    load_weights(unit);
    load_x(unit, squares);
    barrier();
    [[unroll]] for (uint step = 0; step < 32 / K; ++step) {
      const uint k = step * (K / 4);
      MatrixA a[down_each];
      [[unroll]] for (uint i = 0; i < down_each; ++i) a[i] = matrix_a(x_tile[(row + i * M) * pitch + k], ROW_MAJOR, pitch, LOADED, WORKGROUP);
      [[unroll]] for (uint j = 0; j < across_each; ++j) {
        const MatrixB b = matrix_b(w_tile[(output_ + j * N) * pitch + k], COLUMN_MAJOR, pitch, LOADED, WORKGROUP);
        [[unroll]] for (uint i = 0; i < down_each; ++i) sum[i * across_each + j] = multiply_add(a[i], b, sum[i * across_each + j]);
      }
    }
    barrier();
  }
  if (normed) keep_squares(squares);
  [[unroll]] for (uint i = 0; i < down_each; ++i) {
    [[unroll]] for (uint j = 0; j < across_each; ++j) {
      store_matrix(results[self * M * N], sum[i * across_each + j], ROW_MAJOR, N, STORED, WORKGROUP);
      barrier();
      finish_matrix(row + i * M, output_ + j * N, self * M * N);
      barrier();
    }
  }
}
