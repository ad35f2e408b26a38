#include "engine/core/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace lava {
namespace {

uint64_t rotate_left(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

uint64_t fresh_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

tl::unexpected<Error> not_numbers() {
  return fail(Error::Kind::internal, "The model's output is not a number", "its weights are damaged or overflow",
              "Download the model again, or start the engine with --exact");
}

Result<void> check_range(const char* name, double value, double low, double high) {
  if (value >= low && value <= high) return {};
  return fail(Error::Kind::invalid, fmt::format("{} must be between {} and {}", name, low, high), fmt::format("it is {}", value));
}

}  // namespace

Result<void> check_sampling(const Sampling& s) {
  LAVA_CHECK_OK(check_range("temperature", s.temperature, 0, 100));
  LAVA_CHECK_OK(check_range("top_k", s.top_k, 0, 1 << 24));
  LAVA_CHECK_OK(check_range("top_p", s.top_p, 0, 1));
  LAVA_CHECK_OK(check_range("min_p", s.min_p, 0, 1));
  return check_range("repetition_penalty", s.repetition_penalty, 0.01, 100);
}

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15u;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    word = z ^ (z >> 31);
  }
}

uint64_t Random::next() {
  const uint64_t result = rotate_left(state_[1] * 5, 7) * 9, t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotate_left(state_[3], 45);
  return result;
}

Sampler::Sampler(const Sampling& sampling, int vocabulary, std::vector<bool> masked)
    : sampling_(sampling), masked_(std::move(masked)), random_(sampling.seed ? *sampling.seed : fresh_seed()) {
  if (sampling_.repetition_penalty != 1) seen_.resize(static_cast<size_t>(vocabulary));
  if (sampling_.temperature <= 0) return;
  candidates_.reserve(static_cast<size_t>(vocabulary));
  weights_.reserve(static_cast<size_t>(vocabulary));
}

void Sampler::saw(int32_t id) {
  if (id >= 0 && static_cast<size_t>(id) < seen_.size()) seen_[static_cast<size_t>(id)] = true;
}

float Sampler::penalised(int32_t id, float logit) const {
  if (seen_.empty() || !seen_[static_cast<size_t>(id)]) return logit;
  return logit > 0 ? logit / sampling_.repetition_penalty : logit * sampling_.repetition_penalty;
}

Result<void> check_logits(std::span<const float> logits) {
  if (std::any_of(logits.begin(), logits.end(), [](float value) { return std::isnan(value) || value == INFINITY; })) return not_numbers();
  return {};
}

Result<int32_t> Sampler::pick(std::span<const float> logits) {
  LAVA_CHECK_OK(check_logits(logits));
  if (sampling_.temperature <= 0) return greedy(logits);
  gather(logits);
  if (candidates_.empty()) return not_numbers();
  const auto better = [](const Candidate& a, const Candidate& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; };
  const size_t wanted = sampling_.top_k > 0 ? std::min(static_cast<size_t>(sampling_.top_k), candidates_.size()) : candidates_.size();
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(wanted), candidates_.end(), better);
  keep_best(wanted);
  return draw();
}

Result<int32_t> Sampler::greedy(std::span<const float> logits) const {
  int32_t best = -1;
  float best_logit = -INFINITY;
  for (int32_t id = 0; id < static_cast<int32_t>(logits.size()); ++id) {
    const float logit = penalised(id, logits[static_cast<size_t>(id)]);
    if (logit > best_logit && allowed(id)) best = id, best_logit = logit;
  }
  if (best < 0) return not_numbers();
  return best;
}

void Sampler::gather(std::span<const float> logits) {
  candidates_.clear();
  for (int32_t id = 0; id < static_cast<int32_t>(logits.size()); ++id) {
    const float logit = penalised(id, logits[static_cast<size_t>(id)]);
    if (logit > -INFINITY && allowed(id)) candidates_.push_back({id, logit / sampling_.temperature});
  }
}

// Of the first `count` sorted candidates those that top-p and min-p leave; at least one. Fills weights_ with their relative probabilities.
void Sampler::keep_best(size_t count) {
  candidates_.resize(count);
  weights_.clear();
  double total = 0;
  for (const Candidate& candidate : candidates_) {
    weights_.push_back(std::exp(static_cast<double>(candidate.logit) - candidates_[0].logit));
    total += weights_.back();
  }
  size_t kept = 0;
  double sum = 0;
  while (kept < weights_.size() && (kept == 0 || (sum < sampling_.top_p * total && weights_[kept] >= sampling_.min_p)))
    sum += weights_[kept++];
  weights_.resize(kept);
}

int32_t Sampler::draw() {
  const double total = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  double left = random_.unit() * total;
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (left < weights_[i]) return candidates_[i].id;
    left -= weights_[i];
  }
  return candidates_[weights_.size() - 1].id;
}

std::vector<std::pair<int32_t, float>> best_logits(std::span<const float> logits, int count) {
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto end = order.begin() + std::min<ptrdiff_t>(count, static_cast<ptrdiff_t>(order.size()));
  std::partial_sort(order.begin(), end, order.end(), [&](int32_t a, int32_t b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  });
  std::vector<std::pair<int32_t, float>> best;
  for (auto id = order.begin(); id != end; ++id) best.emplace_back(*id, logits[static_cast<size_t>(*id)]);
  return best;
}

LogProbabilities log_probabilities(std::span<const float> logits, int32_t id, int count) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  const float shift = largest + static_cast<float>(std::log(sum));
  LogProbabilities out;
  out.chosen = logits[static_cast<size_t>(id)] - shift;
  if (count > 0) out.top = best_logits(logits, count);
  for (auto& [token, value] : out.top) value -= shift;
  return out;
}

}  // namespace lava
