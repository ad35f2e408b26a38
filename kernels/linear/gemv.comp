// Few rows: out = act(x W^T + bias), or out +=, for up to three targets whose weights have one format. A workgroup takes 16 outputs of one target and up
// to `columns` rows of x. Each 64 of its invocations (a slice) take a unit of 32 values along `in`, so a weight is read once for all rows.
// With a gain, x / rms(x) * gain is what is multiplied: the gain on the way, 1 / rms at the end, for which the workgroup reads each row once more.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "math.glsl"
#include "reduce.glsl"
#include "weights.glsl"

layout(constant_id = 4) const uint columns = 1;
layout(constant_id = 5) const bool normed = false;
layout(constant_id = 6) const uint gate = 0;
const uint PAIR = 1;      // both targets' outputs are computed here: out[0] = act(..) * out[1]
const uint BY_OTHER = 2;  // out[1] is there already

struct Target {
  Words weight;
  Floats bias, out_;  // bias null: none
};
layout(push_constant) uniform Push {
  Floats x, gain;
  Target target[3];
  uint outputs[3], out_stride[3];
  uint in_, x_stride;
  float eps;
  uint rows_kinds;  // rows, then 4 bits per target: activation and, highest, whether to accumulate
};

#include "product.glsl"

const uint threads = gl_WorkGroupSize.x, slices = threads / 64;
shared float partials[threads * columns];

uint rows() { return rows_kinds & 15u; }
uint first_of_row(uint column) { return min(column, rows() - 1) * x_stride; }

// For invocation t: 1 / rms of row t / 16. Its loads come before those of the weights, its sums after.
float factor_of(float squares[columns]) {
  float factor = 1.0;
  for (uint c = 0; c < columns; ++c) {
    const float sum = workgroup_sum(squares[c]);
    if (gl_LocalInvocationID.x / 16 == c) factor = norm_factor(sum, eps);
  }
  return factor;
}

// For invocation t: the sum for row t / 16 and output t % 16.
float sum_of(float sum[columns]) {
  const uint t = gl_LocalInvocationID.x;
  barrier();
  for (uint c = 0; c < columns; ++c) partials[threads * c + t] = sum[c];
  barrier();
  float total = 0.0;
  if (t >= 16 * columns) return total;
  const uint first = threads * (t / 16) + (interleaved ? t % 16 : t % 16 * 4 * slices), stride = interleaved ? 16 : 1;
  for (uint i = 0; i < 4 * slices; ++i) total += partials[first + stride * i];
  return total;
}

float activated(uint which, uint output_, float sum) {
  if (given(target[which].bias)) sum += target[which].bias.v[output_];
  return activate(rows_kinds >> (4 + 4 * which) & 7u, sum);
}

void finish(uint which, uint output_, float sum, float other) {
  const uint row = gl_LocalInvocationID.x / 16;
  if (row >= rows() || output_ >= outputs[which]) return;
  float value = activated(which, output_, sum);
  if (gate == PAIR) {
    const float factor = activated(1, output_, other);
    target[1].out_.v[row * out_stride[1] + output_] = factor;
    value *= factor;
  } else if (gate == BY_OTHER) {
    value *= target[1].out_.v[row * out_stride[1] + output_];
  }
  const uint at = row * out_stride[which] + output_;
  const bool accumulate = (rows_kinds >> (7 + 4 * which) & 1u) != 0;
  target[which].out_.v[at] = accumulate ? target[which].out_.v[at] + value : value;
}

void main() {
  uint group = gl_WorkGroupID.x, which = 0;
  while (which < 2 && group >= (outputs[which] + 15) / 16) group -= (outputs[which] + 15) / 16, ++which;
  const uint t = gl_LocalInvocationID.x;
  const Part part = interleaved ? part_of(t % 64) : Part(t / (4 * slices), t % 4);
  const uint slice = interleaved ? t / 64 : t / 4 % slices, output_ = min(16 * group + part.row, last_row(outputs[which]));
  float sum[columns], other[columns], squares[columns];
  for (uint c = 0; c < columns; ++c) {
    sum[c] = other[c] = squares[c] = 0.0;
    if (!normed) continue;
    for (uint i = t; i < in_; i += threads) {
      const float value = x.v[first_of_row(c) + i];
      squares[c] += value * value;
    }
  }
  for (uint unit = slice; unit < unit_count(); unit += slices) {
    const uint k = 32 * unit + 4 * part.j;
    const Eight w = widen(target[which].weight, output_, unit, part.j, in_);
    Eight up = w;
    if (gate == PAIR) up = widen(target[1].weight, output_, unit, part.j, in_);
    vec4 gain_a = vec4(1.0), gain_b = gain_a;
    if (normed) gain_a = four_floats(gain, 0, k, in_), gain_b = four_floats(gain, 0, k + 16, in_);
    for (uint c = 0; c < columns; ++c) {
      vec4 a = four_floats(x, first_of_row(c), k, in_), b = four_floats(x, first_of_row(c), k + 16, in_);
      if (normed) a *= gain_a, b *= gain_b;
      sum[c] += dot(w.a, a) + dot(w.b, b);
      if (gate == PAIR) other[c] += dot(up.a, a) + dot(up.b, b);
    }
  }
  const float factor = normed ? factor_of(squares) : 1.0, total = sum_of(sum);
  finish(which, 16 * group + t % 16, total * factor, gate == PAIR ? sum_of(other) * factor : 0.0);
}
