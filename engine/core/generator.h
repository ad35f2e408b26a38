// Token by token to an answer: sampling, ends, streamed text, places.
#pragma once
#include <chrono>
#include <span>

#include "engine/core/assistant.h"
#include "engine/core/loaded_model.h"
#include "engine/core/sampler.h"
#include "engine/core/stop_strings.h"
#include "engine/core/text_runner.h"
#include "engine/text/grounding.h"
#include "engine/text/stream_decoder.h"

namespace lava {

class Generator {
 public:
  // `objects`: what marks in the answer stand for; empty when the model points at none.
  Generator(const LoadedModel& model, TextRunner& runner, const Request& request, std::span<const Object> objects);

  // For the repetition penalty.
  void saw(std::span<const int32_t> ids);
  // Fills text, ids, finish_reason, boxes without pixels and the decode timings. `arrival`: when the request came.
  Result<void> run(Answer& answer, std::chrono::steady_clock::time_point arrival);
  const std::vector<text::MarkRewriter::Pointed>& pointed() const { return marks_.pointed(); }

 private:
  Result<int32_t> next_token();
  void write(int32_t id, Answer& answer);
  void emit(std::string text, const TokenLogprob* logprob, const std::vector<TokenLogprob>& top, Answer& answer) const;
  void finish(Answer& answer);
  TokenLogprob describe(int32_t id, float logprob) const;

  const LoadedModel& model_;
  TextRunner& runner_;
  const Request& request_;
  Sampler sampler_;
  text::StreamDecoder decoder_;
  StopStrings stops_;
  text::MarkRewriter marks_;
};

}  // namespace lava
