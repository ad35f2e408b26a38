#include "kernels/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/attention/cache.h"
#include "kernels/formats/formats.h"

namespace lava {
namespace {

double value_at(DType type, const std::byte* p, int index) {
  if (type == DType::q8_0) return q8_0_value(p, index);
  if (type == DType::f32) {
    float value;
    std::memcpy(&value, p, sizeof(value));
    return value;
  }
  if (type == DType::f16 || type == DType::f16_keys) {
    uint16_t value;
    std::memcpy(&value, p, sizeof(value));
    return half_to_float(value);
  }
  return static_cast<double>(*p);
}

// Sums over what has changed.
struct Difference {
  static constexpr double infinite = std::numeric_limits<double>::infinity();
  double error = 0, power = 0, max_abs = 0;

  // One value, or one block of Q8_0.
  void add(DType type, const std::byte* actual, const std::byte* expected, const std::byte* before) {
    const auto size = static_cast<size_t>(dtype_info(type).bytes);
    if (std::memcmp(actual, before, size) == 0 && std::memcmp(expected, before, size) == 0) return;
    const bool same = std::memcmp(actual, expected, size) == 0;
    for (int i = 0; i < (type == DType::q8_0 ? dtype_info(type).block : 1); ++i) {
      const double want = value_at(type, expected, i);
      if (same) {
        if (std::isfinite(want)) power += want * want;
        continue;
      }
      const double distance = std::abs(value_at(type, actual, i) - want);
      const double gap = std::isnan(distance) ? infinite : distance;
      error += gap * gap, power += want * want;
      max_abs = std::max(max_abs, gap);
    }
  }
  // 16 positions of a cache.
  void add_part(DType type, const std::byte* actual, const std::byte* expected, const std::byte* before) {
    for (int64_t p = 0; p < cache_unit; ++p) {
      std::array<std::array<std::byte, dtype_info(DType::q8_0).bytes>, 3> block;
      gather_block(type, actual, p, block[0].data()), gather_block(type, expected, p, block[1].data()), gather_block(type, before, p, block[2].data());
      add(DType::q8_0, block[0].data(), block[1].data(), block[2].data());
    }
  }
};

}  // namespace

Comparison compare_changed(const Tensor& actual, const std::byte* expected, const std::byte* before) {
  Difference sums;
  for_each_value(actual, [&](int64_t at) {
    if (is_coded_part(actual.dtype)) sums.add_part(actual.dtype, actual.data + at, expected + at, before + at);
    else sums.add(actual.dtype, actual.data + at, expected + at, before + at);
  });
  Comparison result;
  result.max_abs = sums.max_abs;
  result.nmse = sums.error == 0 ? 0 : sums.power > 0 && std::isfinite(sums.error) && std::isfinite(sums.power) ? sums.error / sums.power : Difference::infinite;
  return result;
}

}  // namespace lava
