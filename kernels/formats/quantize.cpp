// Encoders of the formats of 32 values, and the dispatch of all formats.
#include <cmath>
#include <cstring>

#include "kernels/check.h"
#include "kernels/formats/formats.h"
#include "kernels/formats/quantize_k.h"

namespace lava {
namespace {

void put_half(std::byte* p, float value) {
  const uint16_t half = float_to_half(value);
  std::memcpy(p, &half, 2);
}

int clamp_code(float value, int top) { return value >= static_cast<float>(top) ? top : value > 0.0f ? static_cast<int>(value) : 0; }

// Q4_0, Q5_0: the value of largest magnitude lands on code 0; Q4_1, Q5_1: codes span min..max.
void encode_simple(const float* x, bool has_min, bool five_bits, std::byte* p) {
  const int top = five_bits ? 31 : 15, offset = five_bits ? 16 : 8;
  float largest = x[0], low = x[0], high = x[0];
  for (int i = 1; i < 32; ++i) {
    if (std::fabs(x[i]) > std::fabs(largest)) largest = x[i];
    low = std::fmin(low, x[i]);
    high = std::fmax(high, x[i]);
  }
  const float scale = has_min ? (high - low) / static_cast<float>(top) : largest / static_cast<float>(-offset);
  const float inverse = scale == 0.0f ? 0.0f : 1.0f / scale;
  int code[32];
  for (int i = 0; i < 32; ++i) {
    const float scaled = has_min ? (x[i] - low) * inverse + 0.5f : x[i] * inverse + (static_cast<float>(offset) + 0.5f);
    code[i] = clamp_code(scaled, top);
  }
  put_half(p, scale);
  p += 2;
  if (has_min) {
    put_half(p, low);
    p += 2;
  }
  if (five_bits) {
    uint32_t bits = 0;
    for (int i = 0; i < 32; ++i) bits |= static_cast<uint32_t>(code[i] >> 4) << i;
    std::memcpy(p, &bits, 4);
    p += 4;
  }
  for (int j = 0; j < 16; ++j) p[j] = static_cast<std::byte>((code[j] & 15) | (code[j + 16] & 15) << 4);
}

void encode_q8_0(const float* x, std::byte* p) {
  float largest = 0.0f, nothing = 0.0f;  // NaN if a value is not finite: codes cannot tell it, the scale does
  for (int i = 0; i < 32; ++i) {
    largest = std::fmax(largest, std::fabs(x[i]));
    nothing += x[i] * 0.0f;
  }
  const float scale = largest / 127.0f + nothing, inverse = scale > 1e-37f ? 1.0f / scale : 0.0f;
  put_half(p, scale);
  if (nothing != 0.0f) return static_cast<void>(std::memset(p + 2, 0, 32));
  for (int i = 0; i < 32; ++i) p[2 + i] = static_cast<std::byte>(static_cast<int8_t>(std::round(x[i] * inverse)));
}

void encode_block(DType format, const float* x, std::byte* p) {
  switch (format) {
    case DType::q4_0:
      return encode_simple(x, false, false, p);
    case DType::q4_1:
      return encode_simple(x, true, false, p);
    case DType::q5_0:
      return encode_simple(x, false, true, p);
    case DType::q5_1:
      return encode_simple(x, true, true, p);
    case DType::q8_0:
      return encode_q8_0(x, p);
    case DType::q4_k:
      return encode_q45_k(x, false, p);
    case DType::q5_k:
      return encode_q45_k(x, true, p);
    case DType::q6_k:
      return encode_q6_k(x, p);
    default:
      LAVA_CHECK(!"not a quantised format");
  }
}

}  // namespace

void quantize_row(DType format, const float* source, std::byte* target, int64_t count) {
  const DTypeInfo info = dtype_info(format);
  LAVA_CHECK(is_weight_format(format) && count >= 0 && count % info.block == 0);
  if (format == DType::f32) {
    std::memcpy(target, source, static_cast<size_t>(count) * 4);
    return;
  }
  for (int64_t i = 0; i < count; i += info.block, target += info.bytes) {
    if (is_quantized(format)) {
      encode_block(format, source + i, target);
    } else {
      const uint16_t value = format == DType::f16 ? float_to_half(source[i]) : float_to_bf16(source[i]);
      std::memcpy(target, &value, 2);
    }
  }
}

}  // namespace lava
