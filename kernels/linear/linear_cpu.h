// What the files of the CPU linear share. Included only by *_cpu.cpp files of this folder, once per instruction-set level.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/lane.h"
#include "kernels/linear/linear.h"

// Whether this level multiplies bytes (VPDPBUSD, VPMADDUBSW). Without, the fast precision is computed as the exact one.
#if defined(__AVX512VNNI__) || defined(__AVX2__)
#define LAVA_INTEGER_DOTS 1
#else
#define LAVA_INTEGER_DOTS 0
#endif

namespace lava::LAVA_ISA {

// One lane's part of one target: groups of 16 output rows [group_begin, group_end) for the rows [0, rows) of x.
struct LinearPart {
  const Matrix* weight;
  const float* x;  // row stride x_stride
  int64_t x_stride, rows;
  float* out;  // row stride out_stride; out[0] is output 0
  int64_t out_stride;
  int64_t group_begin, group_end;
  bool accumulate;
  const std::byte* prepared;  // rows of PreparedRow or of BF16 pairs, as the kernel wants them
  std::byte* scratch;         // Lane::scratch_bytes
};

// out (+)= x W^T without bias and activation, in float32.
void linear_exact(const LinearPart& part);
// The same with prepared activations, weights in interleaved16.
void linear_fast(const LinearPart& part);
// The same with x in BF16 pairs, weights as in the file, unquantised.
void linear_bf16(const LinearPart& part);
// Rows [begin, end) of x to their PreparedRow, or to BF16 pairs.
void prepare_rows(const float* x, int64_t x_stride, int64_t in, int64_t begin, int64_t end, std::byte* prepared);
void prepare_bf16_rows(const float* x, int64_t x_stride, int64_t in, int64_t begin, int64_t end, std::byte* prepared);
// Row `row` of x, normed.
void norm_row(const LinearArgs& a, int64_t row, float* out);
// out = act(out + bias) for a stretch of `count` outputs of one row; bias may be null.
void linear_finish(float* out, const float* bias, int64_t count, Activation activation);
// out *= factor
void linear_gate(float* out, const float* factor, int64_t count);

}  // namespace lava::LAVA_ISA
