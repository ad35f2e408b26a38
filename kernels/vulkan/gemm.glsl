// What the two shaders of products with many rows share: out = act(x W^T + bias), or out +=, or out = act(...) * other, for one target. A workgroup
// computes a tile of results; weights and x are widened on their way into shared memory, 32 values along `in` at a time. With a gain,
// x / rms(x) * gain is what is multiplied: the gain on the way into shared memory, 1 / rms at the end, from the squares of what passed.
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
  Ints x_powers, w_powers;   // of gemm_powers.comp, for gemm_matrix.comp
  uint rows, in_, outputs, x_stride, out_stride, other_stride, accumulate;
  float eps;
};

#include "product.glsl"

const uint threads = gl_WorkGroupSize.x;
const uint loads = (4 * tile_rows + threads - 1) / threads;  // parts of x that an invocation brings

// How a tile lies in shared memory: values 4j .. 4j+3 (a) and 16+4j .. 16+4j+3 (b) of a unit of 32, and the squares that a part of x had, four parts a row.
void put_weights(uint row, uint j, vec4 a, vec4 b);
void put_x(uint row, uint j, vec4 a, vec4 b);
void put_squares(uint row, uint j, float squares);
vec4 squares_of(uint row);

void load_weights(uint unit) {
  for (uint e = gl_LocalInvocationID.x; e < 4 * tile_outputs; e += threads) {
    const Part part = part_of(e);
    const Eight w = widen(weight, min(gl_WorkGroupID.x * tile_outputs + part.row, last_row(outputs)), unit, part.j, in_);
    put_weights(part.row, part.j, w.a, w.b);
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
    put_x(row, j, a, b);
  }
}

void keep_squares(float squares[loads]) {
  for (uint n = 0; n < loads; ++n) {
    const uint e = gl_LocalInvocationID.x + n * threads;
    if (e < 4 * tile_rows) put_squares(e / 4, e % 4, squares[n]);
  }
  barrier();
}

// What the sums of a row of the tile are multiplied by.
float row_factor(uint row) {
  if (!normed) return 1.0;
  const vec4 squares = squares_of(row);
  return norm_factor(squares.x + squares.y + squares.z + squares.w, eps);
}

void finish(uint row, uint output_, float sum) {
  if (row >= rows || output_ >= outputs) return;
  if (given(bias)) sum += bias.v[output_];
  float value = activate(kind, sum);
  if (given(other)) value *= other.v[row * other_stride + output_];
  const uint at = row * out_stride + output_;
  out_.v[at] = accumulate != 0 ? out_.v[at] + value : value;
}
