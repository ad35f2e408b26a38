// Encoders of the 256-value formats: a search over scales per group, then codes recomputed from what is stored.
#pragma once
#include <cstddef>

namespace lava {
void encode_q45_k(const float* x, bool five_bits, std::byte* block);
void encode_q6_k(const float* x, std::byte* block);
}  // namespace lava
