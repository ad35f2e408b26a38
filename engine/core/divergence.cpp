#include "engine/core/divergence.h"

#include <algorithm>
#include <cmath>

#include "kernels/check.h"

namespace lava {
namespace {

// Natural logarithm of the sum of exponentials.
double log_total(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (const float logit : logits) total += std::exp(logit - largest);
  return largest + std::log(total);
}

ptrdiff_t best(std::span<const float> logits) { return std::max_element(logits.begin(), logits.end()) - logits.begin(); }

// The value below which `share` of the sorted values lie.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(at), above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - static_cast<double>(below));
}

}  // namespace

double surprisal(std::span<const float> logits, int32_t id) {
  LAVA_CHECK(id >= 0 && static_cast<size_t>(id) < logits.size());
  return log_total(logits) - logits[static_cast<size_t>(id)];
}

Gap gap_between(std::span<const float> reference, std::span<const float> other) {
  LAVA_CHECK(!reference.empty() && reference.size() == other.size());
  const double reference_total = log_total(reference), other_total = log_total(other);
  double sum = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double log_p = reference[i] - reference_total, log_q = other[i] - other_total;
    sum += std::exp(log_p) * (log_p - log_q);
  }
  return {std::max(sum, 0.0), best(reference) == best(other)};
}

GapSummary summarise(std::span<const Gap> gaps) {
  LAVA_CHECK(!gaps.empty());
  std::vector<double> sorted;
  GapSummary summary{.same_best = 0};
  for (const Gap& gap : gaps) {
    sorted.push_back(gap.divergence);
    summary.mean += gap.divergence, summary.same_best += gap.same_best ? 1 : 0;
  }
  summary.mean /= static_cast<double>(gaps.size()), summary.same_best /= static_cast<double>(gaps.size());
  std::sort(sorted.begin(), sorted.end());
  summary.median = quantile(sorted, 0.5), summary.p99 = quantile(sorted, 0.99), summary.largest = sorted.back();
  return summary;
}

}  // namespace lava
