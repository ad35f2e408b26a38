// How well a distribution over the next token foretells it, and how far two distributions are apart. Natural logarithms (nats).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace lava {

// -ln p(id) under the softmax of the logits.
double surprisal(std::span<const float> logits, int32_t id);

struct Gap {
  double divergence = 0;  // Kullback-Leibler, sum p ln(p / q), of `other` (q) from `reference` (p); never below zero
  bool same_best = true;  // both find the same token likeliest
};
Gap gap_between(std::span<const float> reference, std::span<const float> other);

struct GapSummary {
  double mean = 0, median = 0, p99 = 0, largest = 0;  // of the divergence
  double same_best = 1;                               // share of the positions
};
GapSummary summarise(std::span<const Gap> gaps);  // at least one

}  // namespace lava
