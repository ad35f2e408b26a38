// From logits to the next token.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/result.h"

namespace lava {

struct Sampling {
  float temperature = 0;  // 0: greedy
  int top_k = 0;          // 0: off
  float top_p = 1, min_p = 0, repetition_penalty = 1;
  std::optional<uint64_t> seed;
};

// Ranges of every field, named in the error.
Result<void> check_sampling(const Sampling& sampling);

// Fails when they are not numbers; must hold before they are sorted.
Result<void> check_logits(std::span<const float> logits);

// xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64: the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t next();
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)

 private:
  uint64_t state_[4];
};

// Order: repetition penalty, temperature, top-k, top-p, min-p. One sampler serves one request.
class Sampler {
 public:
  // `masked`: ids that are never chosen (unused entries of the vocabulary); empty or one entry per id.
  Sampler(const Sampling& sampling, int vocabulary, std::vector<bool> masked = {});

  void saw(int32_t id);  // for the repetition penalty: ids of the prompt and of the answer
  // Fails when the logits are not numbers. Ties go to the lowest id.
  Result<int32_t> pick(std::span<const float> logits);

 private:
  struct Candidate {
    int32_t id;
    float logit;
  };
  bool allowed(int32_t id) const { return masked_.empty() || !masked_[static_cast<size_t>(id)]; }
  float penalised(int32_t id, float logit) const;
  Result<int32_t> greedy(std::span<const float> logits) const;
  void gather(std::span<const float> logits);
  void keep_best(size_t count);
  int32_t draw();

  Sampling sampling_;
  std::vector<bool> masked_, seen_;
  Random random_;
  std::vector<Candidate> candidates_;
  std::vector<double> weights_;
};

// Natural logarithms of the softmax: of `id`, and of the `count` likeliest ids, best first.
struct LogProbabilities {
  float chosen = 0;
  std::vector<std::pair<int32_t, float>> top;
};
LogProbabilities log_probabilities(std::span<const float> logits, int32_t id, int count);
std::vector<std::pair<int32_t, float>> best_logits(std::span<const float> logits, int count);

}  // namespace lava
