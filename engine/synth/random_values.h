// Random weights in any number format: finite, mean about zero, with a given deviation. What they are follows from the seed alone.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/dtype.h"

namespace lava::synth {

class RandomValues {
 public:
  // f32, f16 and bf16: normal around `mean`. Quantised formats: blocks of random codes with random scales, evenly spread around 0.
  RandomValues(DType format, double deviation, double mean, uint64_t seed);
  // The next values; whole blocks.
  void fill(std::span<std::byte> bytes);

 private:
  uint64_t next();
  void fill_random(std::span<std::byte> bytes);
  template <class Stored>
  void fill_from_table(std::span<std::byte> bytes, const Stored* table);
  void place_scales(std::byte* block);

  static constexpr int table_size = 4096, scales = 64;
  DType format_;
  uint64_t state_;
  std::array<float, table_size> floats_{};      // f32
  std::array<uint16_t, table_size> halves_{};   // f16, bf16
  std::array<uint16_t, scales> scale_{}, min_{};  // f16, of a block
};

// A seed of its own for every tensor, so that its values do not depend on which others there are.
uint64_t seed_of(uint64_t seed, std::string_view tensor);

}  // namespace lava::synth
