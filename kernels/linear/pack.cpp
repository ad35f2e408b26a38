#include "kernels/linear/pack.h"

#include <algorithm>
#include <cstring>

#include "kernels/check.h"
#include "kernels/formats/formats.h"

namespace lava {
namespace {

// Byte of the `low` (or `high`) part that holds value v of row r.
int low_byte(const PackedFormat& f, int v, int r) { return 64 * (f.low == 512 ? v / 4 : v % 16 / 4) + 4 * r + v % 4; }
int high_byte(const PackedFormat& f, int v, int r) { return (f.high == 128 ? 64 * (v / 16) : 0) + 4 * r + v % 4; }
int high_shift(const PackedFormat& f, int v) { return f.high == 128 ? 2 * (v % 16 / 4) : v / 4; }

uint32_t word_at(const std::byte* p, int i) {
  uint32_t word;
  std::memcpy(&word, p + 4 * i, 4);
  return word;
}
void put_word(std::byte* p, int i, uint32_t word) { std::memcpy(p + 4 * i, &word, 4); }

// Four bits to the lowest bits of four bytes.
uint32_t spread(uint32_t bits) { return (bits * 0x00204081u) & 0x01010101u; }

// Where a unit's row comes from: words whose nibbles hold values 4j .. 4j+3 (first) and 16 + 4j .. (second), in their low or high halves.
struct Nibbles {
  const std::byte *first, *second;
  bool high_half;
};

// Words of four codes are moved whole: word j of row r goes to place r of the unit's line j.
void put_nibbles(const Nibbles& from, int r, std::byte* low) {
  for (int j = 0; j < 4; ++j) {
    const uint32_t a = word_at(from.first, j), b = word_at(from.second, j);
    const uint32_t word = from.high_half ? ((a >> 4) & 0x0f0f0f0fu) | (b & 0xf0f0f0f0u) : (a & 0x0f0f0f0fu) | (b & 0x0f0f0f0fu) << 4;
    put_word(low + 64 * j, r, word);
  }
}

// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0: `codes` follows the scales.
void put_simple_unit(const PackedFormat& f, const std::byte* codes, int r, std::byte* unit) {
  if (f.low == 512) {
    for (int j = 0; j < 8; ++j) put_word(unit + 64 * j, r, word_at(codes, j) ^ 0x80808080u);
    return;
  }
  if (f.high > 0) {
    const uint32_t bits = word_at(codes, 0);
    uint32_t word = 0;
    for (int p = 0; p < 8; ++p) word |= spread((bits >> (4 * p)) & 15u) << p;
    put_word(unit, r, word);
    codes += 4;
  }
  for (int j = 0; j < 4; ++j) put_word(unit + f.high + 64 * j, r, word_at(codes, j));
}

// Q4_K, Q5_K: nibbles of groups 2k and 2k + 1 share 32 bytes.
void put_q45_k_unit(const PackedFormat& f, const std::byte* block, int u, int r, std::byte* unit) {
  int8_t scale[8], min[8];
  decode_group_scales(block + 4, scale, min);
  unit[r] = static_cast<std::byte>(scale[u]);
  unit[16 + r] = static_cast<std::byte>(min[u]);
  if (f.high > 0) {
    uint32_t word = 0;
    for (int p = 0; p < 8; ++p) word |= ((word_at(block + 16, p) >> u) & 0x01010101u) << p;
    put_word(unit + f.factors, r, word);
  }
  const std::byte* q = block + (f.high > 0 ? 48 : 16) + 32 * (u / 2);
  put_nibbles({q, q + 16, u % 2 == 1}, r, unit + f.factors + f.high);
}

void put_q6_k_unit(const PackedFormat& f, const std::byte* block, int u, int r, std::byte* unit) {
  const int half = u / 4, quarter = u % 4;
  unit[r] = block[192 + 2 * u];
  unit[16 + r] = block[192 + 2 * u + 1];
  for (int side = 0; side < 2; ++side) {
    uint32_t word = 0;
    for (int j = 0; j < 4; ++j) word |= ((word_at(block + 128 + 32 * half + 16 * side, j) >> (2 * quarter)) & 0x03030303u) << (2 * j);
    put_word(unit + f.factors + 64 * side, r, word);
  }
  const std::byte* q = block + 64 * half + 32 * (quarter % 2);
  put_nibbles({q, q + 16, quarter >= 2}, r, unit + f.factors + f.high);
}

// One block of row r of a group; `target` is the group's block.
void put_block(DType format, const PackedFormat& f, const std::byte* source, int r, std::byte* target) {
  std::memcpy(target + 2 * r, source + (format == DType::q6_k ? 208 : 0), 2);
  if (f.has_min) std::memcpy(target + 32 + 2 * r, source + 2, 2);
  for (int u = 0; u < f.units; ++u) {
    std::byte* unit = target + f.header + u * f.unit_bytes();
    if (f.units == 1) {
      put_simple_unit(f, source + (f.has_min ? 4 : 2), r, unit);
    } else if (format == DType::q6_k) {
      put_q6_k_unit(f, source, u, r, unit);
    } else {
      put_q45_k_unit(f, source, u, r, unit);
    }
  }
}

// Up to 16 rows of BF16, `row` bytes apart.
void put_pairs(const std::byte* source, size_t row, int64_t rows, int64_t in, std::byte* group) {
  constexpr int64_t together = 16;  // pairs: a line of each row at a time
  const int64_t pairs = in / 2;
  std::memset(group + pairs * 64, 0, static_cast<size_t>(packed_group_bytes(DType::bf16, in) - pairs * 64));
  if (rows < 16) std::memset(group, 0, static_cast<size_t>(pairs * 64));
  for (int64_t p = 0; p < pairs; p += together) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = p; i < std::min(p + together, pairs); ++i) std::memcpy(group + i * 64 + r * 4, source + static_cast<size_t>(r) * row + i * 4, 4);
    }
  }
  for (int64_t r = 0; in % 2 && r < rows; ++r) std::memcpy(group + pairs * 64 + r * 4, source + static_cast<size_t>(r) * row + pairs * 4, 2);
}

struct UnitScale {
  float scale[2], min;  // of values 0..15 and 16..31
};

UnitScale unit_scale(DType format, const PackedFormat& f, const std::byte* block, int u, int r) {
  uint16_t d, m = 0;
  std::memcpy(&d, block + 2 * r, 2);
  if (f.has_min) std::memcpy(&m, block + 32 + 2 * r, 2);
  const float scale = half_to_float(d), min = half_to_float(m);
  if (f.factors == 0) return {{scale, scale}, f.has_min ? min : -0.0f};
  const std::byte* unit = block + f.header + u * f.unit_bytes();
  const float first = static_cast<float>(static_cast<int8_t>(unit[r])), second = static_cast<float>(static_cast<int8_t>(unit[16 + r]));
  if (format == DType::q6_k) return {{scale * first, scale * second}, -0.0f};
  return {{scale * first, scale * first}, -(min * second)};
}

void widen_unit(DType format, const PackedFormat& f, const std::byte* block, int u, int r, float* target) {
  const UnitScale scale = unit_scale(format, f, block, u, r);
  const std::byte* high = block + f.header + u * f.unit_bytes() + f.factors;
  const std::byte* low = high + f.high;
  for (int v = 0; v < 32; ++v) {
    int code = static_cast<int>(low[low_byte(f, v, r)]);
    if (f.low == 256) code = (code >> (v < 16 ? 0 : 4)) & 15;
    if (f.high > 0) {
      const int top = static_cast<int>(high[high_byte(f, v, r)]) >> high_shift(f, v);
      code |= (top & (f.high == 128 ? 3 : 1)) << 4;
    }
    target[v] = static_cast<float>(code - f.offset) * scale.scale[v / 16] + scale.min;
  }
}

}  // namespace

const char* precision_name(Precision precision) {
  switch (precision) {
    case Precision::exact:
      return "exact";
    case Precision::bf16:
      return "bf16";
    case Precision::fast:
      return "fast";
  }
  return "";
}

MatrixLayout preferred_layout(DType format, Precision precision, bool host) {
  const bool decodes = format == DType::bf16 && precision == Precision::fast && host;
  return is_quantized(format) || decodes ? MatrixLayout::interleaved16 : MatrixLayout::rows;
}

size_t packed_bytes(DType format, MatrixLayout layout, int64_t out, int64_t in) {
  LAVA_CHECK(is_weight_format(format) && out >= 0 && in >= 0 && in % dtype_info(format).block == 0);
  if (layout == MatrixLayout::rows) return row_bytes(format, out * in);
  LAVA_CHECK(can_interleave(format));
  return static_cast<size_t>((out + 15) / 16 * packed_group_bytes(format, in));
}

void pack_rows(DType format, MatrixLayout layout, int64_t out, int64_t in, int64_t begin, int64_t end, const std::byte* source, std::byte* target) {
  LAVA_CHECK(begin >= 0 && begin <= end && end <= out && begin % 16 == 0 && (end % 16 == 0 || end == out));
  const size_t row = row_bytes(format, in);
  if (layout == MatrixLayout::rows) {
    std::memcpy(target + static_cast<size_t>(begin) * row, source + static_cast<size_t>(begin) * row, static_cast<size_t>(end - begin) * row);
    return;
  }
  const auto group_bytes = static_cast<size_t>(packed_group_bytes(format, in));
  if (format == DType::bf16) {
    for (int64_t o = begin; o < end; o += 16) {
      put_pairs(source + static_cast<size_t>(o) * row, row, std::min<int64_t>(16, end - o), in, target + static_cast<size_t>(o / 16) * group_bytes);
    }
    return;
  }
  const PackedFormat f = packed_format(format);
  const int64_t blocks = in / f.values();
  const auto block_bytes = static_cast<size_t>(dtype_info(format).bytes);
  if (end % 16 != 0) std::memset(target + static_cast<size_t>(end / 16) * group_bytes, 0, group_bytes);
  for (int64_t o = begin; o < end; ++o) {
    std::byte* group = target + static_cast<size_t>(o / 16) * group_bytes;
    for (int64_t b = 0; b < blocks; ++b) {
      put_block(format, f, source + static_cast<size_t>(o) * row + static_cast<size_t>(b) * block_bytes, static_cast<int>(o % 16),
                group + b * f.bytes());
    }
  }
}

void pack_matrix(DType format, MatrixLayout layout, int64_t out, int64_t in, const std::byte* source, std::byte* target) {
  LAVA_CHECK(is_weight_format(format) && in % dtype_info(format).block == 0 && (layout == MatrixLayout::rows || can_interleave(format)));
  pack_rows(format, layout, out, in, 0, out, source, target);
}

void widen_file_row(const Matrix& matrix, int64_t row, int64_t first, int64_t count, float* target) {
  LAVA_CHECK(matrix.layout == MatrixLayout::rows && row >= 0 && row < matrix.out && first >= 0 && first + count <= matrix.in);
  dequantize_row(matrix.format, matrix.data + row_bytes(matrix.format, row * matrix.in + first), target, count);
}

void widen_row(const Matrix& matrix, int64_t row, float* target) {
  if (matrix.layout == MatrixLayout::rows) return widen_file_row(matrix, row, 0, matrix.in, target);
  LAVA_CHECK(row >= 0 && row < matrix.out);
  const std::byte* group = matrix.data + row / 16 * packed_group_bytes(matrix.format, matrix.in);
  if (matrix.format == DType::bf16) {
    for (int64_t k = 0; k < matrix.in; ++k) {
      uint16_t value;
      std::memcpy(&value, group + k / 2 * 64 + row % 16 * 4 + k % 2 * 2, 2);
      target[k] = bf16_to_float(value);
    }
    return;
  }
  const PackedFormat f = packed_format(matrix.format);
  const int64_t blocks = matrix.in / f.values();
  for (int64_t b = 0; b < blocks; ++b) {
    for (int u = 0; u < f.units; ++u) {
      widen_unit(matrix.format, f, group + b * f.bytes(), u, static_cast<int>(row % 16), target + b * f.values() + 32 * u);
    }
  }
}

}  // namespace lava
