#include "kernels/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

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
  if (type == DType::f16) {
    uint16_t value;
    std::memcpy(&value, p, sizeof(value));
    return half_to_float(value);
  }
  return static_cast<double>(*p);
}

}  // namespace

Comparison compare_changed(const Tensor& actual, const std::byte* expected, const std::byte* before) {
  const size_t size = static_cast<size_t>(dtype_info(actual.dtype).bytes);
  const int values = actual.dtype == DType::q8_0 ? dtype_info(actual.dtype).block : 1;
  constexpr double infinite = std::numeric_limits<double>::infinity();
  Comparison result;
  double error = 0, power = 0;
  for_each_value(actual, [&](int64_t at) {
    const bool untouched = std::memcmp(actual.data + at, before + at, size) == 0 && std::memcmp(expected + at, before + at, size) == 0;
    if (untouched) return;
    const bool same = std::memcmp(actual.data + at, expected + at, size) == 0;
    for (int i = 0; i < values; ++i) {
      const double want = value_at(actual.dtype, expected + at, i);
      if (same) {
        if (std::isfinite(want)) power += want * want;
        continue;
      }
      const double distance = std::abs(value_at(actual.dtype, actual.data + at, i) - want);
      const double gap = std::isnan(distance) ? infinite : distance;
      error += gap * gap, power += want * want;
      result.max_abs = std::max(result.max_abs, gap);
    }
  });
  result.nmse = error == 0 ? 0 : power > 0 && std::isfinite(error) && std::isfinite(power) ? error / power : infinite;
  return result;
}

}  // namespace lava
