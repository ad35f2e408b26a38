#include "engine/synth/random_values.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/check.h"
#include "kernels/formats/formats.h"

namespace lava::synth {
namespace {

// Where the normal distribution has grown to p (Acklam's rational approximation, relative error about 1e-9).
double normal_quantile(double p) {
  constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01};
  constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00};
  constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00};
  if (p > 0.5) return -normal_quantile(1 - p);
  if (p < 0.02425) {
    const double q = std::sqrt(-2 * std::log(p));
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) / ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  }
  const double q = p - 0.5, r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q / (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

// Deviation of the codes 0 .. n - 1, all equally likely.
double spread(double n) { return std::sqrt((n * n - 1) / 12); }

// What stands beside the block's scale: a factor of 6 bits from 32 to 63 in Q4_K and Q5_K, of 64 to 127 in Q6_K (root of the mean square).
constexpr double k_factor = 48.4, q6_factor = 97.2;

// Deviation of a value whose block has the scale 1, and what the scale times -min_ratio is as the block's minimum (0: it has none).
struct BlockShape {
  double deviation, min_ratio;
};
BlockShape shape_of(DType format) {
  switch (format) {
    case DType::q4_0: return {spread(16), 0};
    case DType::q4_1: return {spread(16), -7.5};
    case DType::q5_0: return {spread(32), 0};
    case DType::q5_1: return {spread(32), -15.5};
    case DType::q8_0: return {spread(255), 0};
    case DType::q4_k: return {spread(16) * k_factor, 7.5};  // stored as what is subtracted
    case DType::q5_k: return {spread(32) * k_factor, 15.5};
    case DType::q6_k: return {spread(64) * q6_factor, 0};
    default: break;
  }
  LAVA_CHECK(!"not a quantised format");
  return {};
}

void put_half(std::byte* p, uint16_t half) { std::memcpy(p, &half, 2); }
uint8_t byte_at(const std::byte* p, int i) { return static_cast<uint8_t>(p[i]); }

// Eight random factors of 6 bits, each both the scale and the minimum of its group, in the 12 bytes of Q4_K and Q5_K.
void place_group_factors(std::byte* s) {
  int factor[8];
  for (int i = 0; i < 8; ++i) factor[i] = 32 + (byte_at(s, i) & 31);
  for (int j = 0; j < 4; ++j) {
    s[j] = s[j + 4] = static_cast<std::byte>(factor[j] | (factor[j + 4] >> 4) << 6);
    s[j + 8] = static_cast<std::byte>((factor[j + 4] & 15) | (factor[j + 4] & 15) << 4);
  }
}

}  // namespace

uint64_t seed_of(uint64_t seed, std::string_view tensor) {
  uint64_t hash = 0xcbf29ce484222325u ^ seed;  // FNV-1a
  for (const char c : tensor) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

RandomValues::RandomValues(DType format, double deviation, double mean, uint64_t seed) : format_(format), state_(seed) {
  LAVA_CHECK(is_weight_format(format));
  if (!is_quantized(format)) {
    for (int i = 0; i < table_size; ++i) {
      const auto value = static_cast<float>(mean + deviation * normal_quantile((i + 0.5) / table_size));
      floats_[i] = value;
      halves_[i] = format == DType::f16 ? float_to_half(value) : float_to_bf16(value);
    }
    return;
  }
  const BlockShape shape = shape_of(format);
  for (int i = 0; i < scales; ++i) {  // from 3/4 to 5/4; half of those without a minimum are negative
    const double size = deviation / shape.deviation * (0.75 + 0.5 * (i % 32) / 31), sign = shape.min_ratio == 0 && i >= 32 ? -1 : 1;
    scale_[i] = float_to_half(static_cast<float>(sign * size));
    min_[i] = float_to_half(static_cast<float>(shape.min_ratio) * half_to_float(scale_[i]));
  }
}

uint64_t RandomValues::next() {  // SplitMix64
  uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void RandomValues::fill_random(std::span<std::byte> bytes) {
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    const uint64_t value = next();
    std::memcpy(bytes.data() + at, &value, 8);
  }
  if (at == bytes.size()) return;
  const uint64_t value = next();
  std::memcpy(bytes.data() + at, &value, bytes.size() - at);
}

template <class Stored>
void RandomValues::fill_from_table(std::span<std::byte> bytes, const Stored* table) {
  constexpr int each = 5;  // indices of 12 bits in a word
  const size_t count = bytes.size() / sizeof(Stored);
  for (size_t i = 0; i < count; i += each) {
    uint64_t word = next();
    for (size_t k = i; k < std::min(count, i + each); ++k, word >>= 12) std::memcpy(bytes.data() + k * sizeof(Stored), table + word % table_size, sizeof(Stored));
  }
}

// The block is full of random bytes; those that hold no codes get their meaning.
void RandomValues::place_scales(std::byte* block) {
  const int choice = byte_at(block, 0) % scales;
  switch (format_) {
    case DType::q4_1:
    case DType::q5_1:
      put_half(block, scale_[choice]), put_half(block + 2, min_[choice]);
      return;
    case DType::q4_k:
    case DType::q5_k:
      put_half(block, scale_[choice]), put_half(block + 2, min_[choice]);
      place_group_factors(block + 4);
      return;
    case DType::q6_k:
      for (int i = 192; i < 208; ++i) {
        const int factor = 64 + (byte_at(block, i) & 63);
        block[i] = static_cast<std::byte>(static_cast<int8_t>((byte_at(block, i) & 64) != 0 ? -factor : factor));
      }
      put_half(block + 208, scale_[choice]);
      return;
    case DType::q8_0:  // quantisers use -127 .. 127
      for (int i = 2; i < 34; ++i)
        if (block[i] == std::byte{0x80}) block[i] = std::byte{0x81};
      [[fallthrough]];
    default:
      put_half(block, scale_[choice]);
  }
}

void RandomValues::fill(std::span<std::byte> bytes) {
  const DTypeInfo info = dtype_info(format_);
  LAVA_CHECK(bytes.size() % static_cast<size_t>(info.bytes) == 0);
  if (format_ == DType::f32) return fill_from_table(bytes, floats_.data());
  if (!is_quantized(format_)) return fill_from_table(bytes, halves_.data());
  fill_random(bytes);
  for (size_t at = 0; at < bytes.size(); at += static_cast<size_t>(info.bytes)) place_scales(bytes.data() + at);
}

}  // namespace lava::synth
