#include "kernels/formats/quantize_k.h"

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/half.h"

namespace lava {
namespace {

void put_half(std::byte* p, float value) {
  const uint16_t half = float_to_half(value);
  std::memcpy(p, &half, 2);
}
float stored_half(float value) { return half_to_float(float_to_half(value)); }

int rounded(float value, int low, int high) {
  const float r = std::nearbyint(value);
  return r <= static_cast<float>(low) ? low : r >= static_cast<float>(high) ? high : static_cast<int>(r);
}

struct ScaleMin {
  float scale = 0.0f, min = 0.0f;  // value = scale * code + min, min <= 0
};

// Weighted least squares for (scale, min) with the codes that `inverse` gives; returns the weighted squared error.
float fit_codes(const float* x, const float* weight, int top, float inverse, float low, ScaleMin& fit) {
  float sw = 0, sx = 0, sl = 0, sll = 0, sxl = 0;
  int code[32];
  for (int i = 0; i < 32; ++i) {
    code[i] = rounded(inverse * (x[i] - low), 0, top);
    const float l = static_cast<float>(code[i]), w = weight[i];
    sw += w, sx += w * x[i], sl += w * l, sll += w * l * l, sxl += w * l * x[i];
  }
  const float determinant = sw * sll - sl * sl;
  if (determinant <= 0.0f) return HUGE_VALF;
  fit.scale = (sw * sxl - sx * sl) / determinant;
  fit.min = (sll * sx - sl * sxl) / determinant;
  if (fit.min > 0.0f) {
    fit.min = 0.0f;
    fit.scale = sxl / sll;
  }
  float error = 0;
  for (int i = 0; i < 32; ++i) {
    const float difference = fit.scale * static_cast<float>(code[i]) + fit.min - x[i];
    error += weight[i] * difference * difference;
  }
  return error;
}

// Scale and min of a group of 32: several inverse scales are tried, the lowest weighted error wins.
ScaleMin fit_group(const float* x, int top, float first_step, int steps) {
  float low = 0.0f, high = x[0], square = 0.0f, weight[32];
  for (int i = 0; i < 32; ++i) {
    low = std::fmin(low, x[i]);
    high = std::fmax(high, x[i]);
    square += x[i] * x[i];
  }
  if (!(high > low)) return {0.0f, low};
  for (int i = 0; i < 32; ++i) weight[i] = std::sqrt(square / 32.0f) + std::fabs(x[i]);
  ScaleMin best{(high - low) / static_cast<float>(top), low}, trial;
  float best_error = HUGE_VALF;
  for (int t = -1; t <= steps; ++t) {
    const float numerator = static_cast<float>(top) + (t < 0 ? 0.0f : first_step + 0.1f * static_cast<float>(t));
    const float error = fit_codes(x, weight, top, numerator / (high - low), low, trial);
    if (error < best_error && trial.scale > 0.0f) {
      best_error = error;
      best = trial;
    }
  }
  return best;
}

void put_group_scales(const int* scale, const int* min, std::byte* s) {
  for (int j = 0; j < 4; ++j) {
    s[j] = static_cast<std::byte>(scale[j] | (scale[j + 4] >> 4) << 6);
    s[j + 4] = static_cast<std::byte>(min[j] | (min[j + 4] >> 4) << 6);
    s[j + 8] = static_cast<std::byte>((scale[j + 4] & 15) | (min[j + 4] & 15) << 4);
  }
}

// Scale of a group of 16 in Q6_K: symmetric, codes -32..31, weights x^2.
float fit_symmetric(const float* x) {
  float largest = 0.0f;
  for (int i = 0; i < 16; ++i) {
    if (std::fabs(x[i]) > std::fabs(largest)) largest = x[i];
  }
  if (largest == 0.0f) return 0.0f;
  float best_scale = 0.0f, best = -1.0f;
  for (int t = -9; t <= 9; ++t) {
    const float inverse = -(32.0f + 0.1f * static_cast<float>(t)) / largest;
    float sxl = 0.0f, sll = 0.0f;
    for (int i = 0; i < 16; ++i) {
      const float l = static_cast<float>(rounded(inverse * x[i], -32, 31)), w = x[i] * x[i];
      sxl += w * x[i] * l;
      sll += w * l * l;
    }
    if (sll > 0.0f && sxl * sxl > best * sll) {
      best = sxl * sxl / sll;
      best_scale = sxl / sll;
    }
  }
  return best_scale;
}

}  // namespace

void encode_q45_k(const float* x, bool five_bits, std::byte* block) {
  const int top = five_bits ? 31 : 15;
  ScaleMin group[8];
  float max_scale = 0.0f, max_min = 0.0f;
  for (int g = 0; g < 8; ++g) {
    group[g] = five_bits ? fit_group(x + 32 * g, top, -0.5f, 15) : fit_group(x + 32 * g, top, -1.0f, 20);
    max_scale = std::fmax(max_scale, group[g].scale);
    max_min = std::fmax(max_min, -group[g].min);
  }
  const float d = stored_half(max_scale / 63.0f), dmin = stored_half(max_min / 63.0f);
  put_half(block, d);
  put_half(block + 2, dmin);
  int scale[8], min[8];
  std::memset(block + 16, 0, five_bits ? 160 : 128);
  std::byte* q = block + (five_bits ? 48 : 16);
  for (int g = 0; g < 8; ++g) {
    scale[g] = d > 0.0f ? rounded(group[g].scale / d, 0, 63) : 0;
    min[g] = dmin > 0.0f ? rounded(-group[g].min / dmin, 0, 63) : 0;
    const float unit = d * static_cast<float>(scale[g]), low = dmin * static_cast<float>(min[g]);
    for (int l = 0; l < 32; ++l) {
      const int code = unit > 0.0f ? rounded((x[32 * g + l] + low) / unit, 0, top) : 0;
      q[32 * (g / 2) + l] |= static_cast<std::byte>((code & 15) << (4 * (g % 2)));
      if (five_bits) block[16 + l] |= static_cast<std::byte>((code >> 4) << g);
    }
  }
  put_group_scales(scale, min, block + 4);
}

void encode_q6_k(const float* x, std::byte* block) {
  float scale[16], largest = 0.0f;
  for (int g = 0; g < 16; ++g) {
    scale[g] = fit_symmetric(x + 16 * g);
    if (std::fabs(scale[g]) > std::fabs(largest)) largest = scale[g];
  }
  std::memset(block, 0, 210);
  const float d = stored_half(largest / -128.0f);
  put_half(block + 208, d);
  if (d == 0.0f) return;
  for (int g = 0; g < 16; ++g) {
    const int group_scale = rounded(scale[g] / d, -128, 127);
    block[192 + g] = static_cast<std::byte>(static_cast<int8_t>(group_scale));
    const float unit = d * static_cast<float>(group_scale);
    for (int l = 0; l < 16; ++l) {
      const int i = 16 * g + l, half = i / 128, quarter = i % 128 / 32, position = i % 32;
      const int code = (unit != 0.0f ? rounded(x[i] / unit, -32, 31) : 0) + 32;
      block[64 * half + 32 * (quarter % 2) + position] |= static_cast<std::byte>((code & 15) << (4 * (quarter / 2)));
      block[128 + 32 * half + position] |= static_cast<std::byte>((code >> 4) << (2 * quarter));
    }
  }
}

}  // namespace lava
