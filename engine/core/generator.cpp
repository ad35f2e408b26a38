#include "engine/core/generator.h"

#include <algorithm>

namespace lava {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point from, Clock::time_point to) { return std::chrono::duration<double, std::milli>(to - from).count(); }

std::vector<std::string> stops_of(const LoadedModel& model, const Request& request) {
  std::vector<std::string> stops = request.stop;
  if (model.chat && !request.messages.empty()) stops.insert(stops.end(), model.chat->stop_strings.begin(), model.chat->stop_strings.end());
  return stops;
}

}  // namespace

Generator::Generator(const LoadedModel& model, TextRunner& runner, const Request& request, std::span<const Object> objects)
    : model_(model),
      runner_(runner),
      request_(request),
      sampler_(request.sampling, model.text.decoder->config().vocabulary, model.masked),
      decoder_(*model.tokenizer, false, true),
      stops_(stops_of(model, request)),
      marks_(objects) {}

void Generator::saw(std::span<const int32_t> ids) {
  for (const int32_t id : ids) sampler_.saw(id);
}

Result<void> Generator::run(Answer& answer, Clock::time_point arrival) {
  runner_.prepare_steps();
  answer.finish_reason = "length";
  Clock::time_point first;
  for (int count = 0; count < request_.max_tokens; ++count) {
    if (request_.cancel && request_.cancel->load(std::memory_order_relaxed))
      return fail(Error::Kind::cancelled, "The request was cancelled");
    if (count > 0) {
      if (runner_.room() == 0) break;
      LAVA_CHECK_OK(runner_.step(answer.ids.back()));
    }
    LAVA_TRY(const int32_t id, next_token());
    if (count == 0) {
      first = Clock::now();
      answer.timings.first_token_ms = milliseconds(arrival, first);
    }
    if (std::binary_search(model_.end_ids.begin(), model_.end_ids.end(), id)) {
      answer.finish_reason = "stop";
      break;
    }
    answer.ids.push_back(id);
    write(id, answer);
    if (stops_.stopped()) {
      answer.finish_reason = "stop";
      break;
    }
  }
  finish(answer);
  answer.timings.decode_ms = milliseconds(first, Clock::now());
  answer.timings.decode_tokens = static_cast<int>(answer.ids.size());
  return {};
}

Result<int32_t> Generator::next_token() {
  LAVA_TRY(const int32_t id, sampler_.pick(runner_.logits()));
  sampler_.saw(id);
  return id;
}

TokenLogprob Generator::describe(int32_t id, float logprob) const { return {id, model_.tokenizer->token_bytes(id, true), logprob}; }

void Generator::write(int32_t id, Answer& answer) {
  std::string text = marks_.push(stops_.push(decoder_.push(id)));
  if (request_.top_logprobs < 0) return emit(std::move(text), nullptr, {}, answer);
  const LogProbabilities logs = log_probabilities(runner_.logits(), id, request_.top_logprobs);
  const TokenLogprob chosen = describe(id, logs.chosen);
  std::vector<TokenLogprob> top;
  for (const auto& [other, value] : logs.top) top.push_back(describe(other, value));
  emit(std::move(text), &chosen, top, answer);
}

void Generator::emit(std::string text, const TokenLogprob* logprob, const std::vector<TokenLogprob>& top, Answer& answer) const {
  if (text.empty() && !logprob) return;
  answer.text += text;
  if (request_.on_text) request_.on_text(text, logprob, top);
}

void Generator::finish(Answer& answer) {
  std::string rest;
  if (!stops_.stopped()) rest = marks_.push(stops_.push(decoder_.finish()));
  if (!stops_.stopped()) rest += marks_.push(stops_.finish());
  rest += marks_.finish();
  emit(std::move(rest), nullptr, {}, answer);
}

}  // namespace lava
