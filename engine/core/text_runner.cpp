#include "engine/core/text_runner.h"

#include <algorithm>

#include "kernels/ops.h"

namespace lava {
namespace {

int common_rows(const std::vector<RowKey>& a, const std::vector<RowKey>& b) {
  const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<int>(end - a.begin());
}

bool same_set(const std::vector<const Adapter*>& a, Adapters b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace

// Beyond some hundred rows a chunk no longer computes faster on the processor, whose caches like it short. CUDA widens packed weights anew for each
// chunk (kernels/cuda/plan.h), so a picture and its question should be one.
int TextRunner::best_chunk(DecoderParts parts) {
  constexpr int cuda_chunk = 1024;
  const bool cuda = std::all_of(parts.begin(), parts.end(), [](const DecoderPart& part) { return part.device->info().backend == "cuda"; });
  return cuda ? cuda_chunk : RunnerOptions::usual_chunk;
}

Result<std::unique_ptr<TextRunner>> TextRunner::create(DecoderParts parts, std::span<const Adapter* const> adapters,
                                                       const RunnerOptions& options) {
  LAVA_CHECK(!parts.empty() && parts.front().decoder->embeds() && parts.back().decoder->reads_out());
  const int chunk = options.chunk > 0 ? options.chunk : best_chunk(parts);
  std::unique_ptr<TextRunner> runner(new TextRunner(std::min(chunk, parts.front().decoder->context())));
  LAVA_CHECK_OK(runner->allocate(parts, adapters, options));
  return runner;
}

Result<std::unique_ptr<TextRunner>> TextRunner::create(Device& device, const Decoder& decoder, std::span<const Adapter* const> adapters,
                                                       const RunnerOptions& options) {
  const DecoderPart whole{&device, &decoder};
  return create({&whole, 1}, adapters, options);
}

Result<void> TextRunner::allocate(DecoderParts parts, Adapters all, const RunnerOptions& options) {
  for (const DecoderPart& part : parts) {
    const bool last = stages_.size() + 1 == parts.size();
    LAVA_TRY(TextStage stage, TextStage::create(part, all, chunk_, last ? options.least_arena : 0));
    stages_.push_back(std::move(stage));
  }
  recordings_.reserve(stages_.size());
  for (int i = 0; i < options.slots; ++i) {
    Slot slot;
    for (const TextStage& stage : stages_) {
      LAVA_TRY(TextStage::Slot part, stage.make_slot(options.kv));
      slot.parts.push_back(std::move(part));
    }
    slot.rows.reserve(static_cast<size_t>(context()));
    slot.end_logits.reserve(static_cast<size_t>(config().vocabulary));
    slots_.push_back(std::move(slot));
  }
  return {};
}

size_t TextRunner::kv_bytes() const {
  size_t bytes = 0;
  for (const Slot& slot : slots_)
    for (const TextStage::Slot& part : slot.parts) bytes += part.kv.shape().bytes();
  return bytes;
}

size_t TextRunner::arena_bytes() const {
  size_t bytes = 0;
  for (const TextStage& stage : stages_) bytes += stage.arena_bytes();
  return bytes;
}

Result<void> TextRunner::finish() const {
  Result<void> all;
  for (const TextStage& stage : stages_) {
    auto done = stage.device().finish();
    if (all && !done) all = std::move(done);
  }
  return all;
}

Result<int> TextRunner::prefill(const Prompt& prompt, Adapters adapters, const std::atomic<bool>* cancel, const Progress& progress,
                                Purpose purpose) {
  LAVA_CHECK(prompt.size() > 0 && prompt.size() <= context());
  const Found best = longest_beginning(prompt, adapters);
  if (purpose == Purpose::ahead && best.rows == prompt.size()) return best.rows;
  const int reused = choose_slot(prompt, adapters, best, purpose);
  Slot& slot = slots_[current_];
  recordings_.clear();
  for (int begin = reused; begin < prompt.size(); begin += chunk_) {
    if (progress) progress(begin, prompt.size());
    const int count = std::min(chunk_, prompt.size() - begin);
    const auto done = chunk(prompt, begin, count, slot, adapters, cancel);
    LAVA_CHECK_OK(finish());  // also when cancelled: ops under way read the step parameters
    LAVA_CHECK_OK(done);
    slot.rows.insert(slot.rows.end(), prompt.keys.begin() + begin, prompt.keys.begin() + begin + count);
  }
  if (reused < prompt.size()) {
    slot.end_logits.assign(logits().begin(), logits().end());
    slot.end = prompt.size();
  } else {
    std::copy(slot.end_logits.begin(), slot.end_logits.end(), output().f32());
  }
  if (progress) progress(prompt.size(), prompt.size());
  return reused;
}

TextRunner::Found TextRunner::longest_beginning(const Prompt& prompt, Adapters adapters) const {
  Found best{0, -1};
  for (size_t i = 0; i < slots_.size(); ++i) {
    const int rows = same_set(slots_[i].adapters, adapters) ? common_rows(slots_[i].rows, prompt.keys) : 0;
    if (rows > best.rows) best = {i, rows};
  }
  return best;
}

// Of slots that no question used, the one with the fewest rows.
size_t TextRunner::oldest_slot() const {
  const auto age = [](const Slot& slot) { return std::pair(slot.used, slot.rows.size()); };
  const auto oldest = std::min_element(slots_.begin(), slots_.end(), [&](const Slot& a, const Slot& b) { return age(a) < age(b); });
  return static_cast<size_t>(oldest - slots_.begin());
}

// The slot with the longest common beginning, unless that would throw away more than half of it, or, ahead of a question, anything that was
// asked: then the oldest slot takes a copy.
int TextRunner::choose_slot(const Prompt& prompt, Adapters adapters, const Found& best, Purpose purpose) {
  const bool ahead = purpose == Purpose::ahead;
  const bool keeps = ahead ? best.rows >= slots_[best.slot].asked : 2 * static_cast<size_t>(best.rows) >= slots_[best.slot].rows.size();
  current_ = keeps ? best.slot : oldest_slot();
  Slot& slot = slots_[current_];
  // The logits of the last row are wanted: it is computed unless they were kept. So the same question again has the same answer to the bit.
  const bool ended = best.rows == prompt.size() && slots_[best.slot].end == prompt.size();
  const int common = ended ? prompt.size() : std::min(best.rows, prompt.size() - 1);
  if (current_ != best.slot) {
    copy_rows(slots_[best.slot], slot, common);
    if (ended) slot.end_logits = slots_[best.slot].end_logits;
    slot.end = ended ? common : 0;
  }
  if (slot.end > common) slot.end = 0;
  slot.rows.assign(prompt.keys.begin(), prompt.keys.begin() + common);
  slot.adapters.assign(adapters.begin(), adapters.end());
  if (!ahead) slot.used = ++clock_;
  slot.asked = ahead ? std::min(slot.asked, common) : prompt.size();
  return common;
}

void TextRunner::copy_rows(const Slot& from, Slot& to, int rows) const {
  for (size_t i = 0; i < stages_.size(); ++i) stages_[i].copy_rows(from.parts[i], to.parts[i], rows);
}

// Rows begin .. begin + count of the prompt through all layers.
Result<void> TextRunner::chunk(const Prompt& prompt, int begin, int count, const Slot& slot, Adapters adapters, const std::atomic<bool>* cancel) {
  const bool last = begin + count == prompt.size();
  Tensor rows;  // that the stage before left
  for (size_t i = 0; i < stages_.size(); ++i) {
    const auto enter = [&](Run& run, const Tensor& x, const Tensor& ids) -> Result<void> {
      if (i > 0) return carry(stages_[i - 1].device(), rows, run.device, x);
      embed(run, prompt, begin, x, ids);
      return {};
    };
    LAVA_TRY(rows, stages_[i].chunk(count, begin, slot.parts[i], adapters, last, cancel, enter));
  }
  return {};
}

void TextRunner::embed(Run& run, const Prompt& prompt, int begin, const Tensor& x, const Tensor& ids) const {
  const int count = x.extent[0];
  const auto width = static_cast<size_t>(x.width());
  const auto picture_row = [&](int i) { return prompt.embeddings[static_cast<size_t>(begin + i)]; };
  std::vector<int32_t> tokens;
  for (int i = 0; i < count;) {
    const int first = i;
    if (const float* row = picture_row(i)) {
      // Rows that lie together travel together.
      for (++i; i < count && picture_row(i) == row + static_cast<size_t>(i - first) * width;) ++i;
      run.device.upload(x.slice(first, 1).data, std::as_bytes(std::span(row, static_cast<size_t>(i - first) * width)));
      continue;
    }
    tokens.clear();
    for (; i < count && !picture_row(i); ++i) {
      tokens.push_back(prompt.info[static_cast<size_t>(begin + i)].token);
      LAVA_CHECK(tokens.back() >= 0 && tokens.back() < config().vocabulary);
    }
    const Tensor place = ids.slice(first, i - first);
    run.device.upload(place.data, std::as_bytes(std::span(tokens)));
    ops::embed_rows(run, x.slice(first, i - first), stages_[0].decoder().embedding(), place);
  }
}

void TextRunner::prepare_steps() {
  Slot& slot = slots_[current_];
  const int past = static_cast<int>(slot.rows.size());
  recordings_.clear();
  recorded_length_ = 0;
  for (size_t i = 0; i < stages_.size(); ++i) {
    recordings_.push_back(stages_[i].recorded_step(slot.parts[i], slot.adapters, past));
    const int length = stages_[i].recorded_length(past);
    if (length > 0) recorded_length_ = recorded_length_ > 0 ? std::min(recorded_length_, length) : length;
  }
}

Result<void> TextRunner::step(int32_t token) {
  Slot& slot = slots_[current_];
  LAVA_CHECK(room() > 0 && token >= 0 && token < config().vocabulary);
  const int past = static_cast<int>(slot.rows.size());
  if (recordings_.empty() || (recorded_length_ > 0 && past >= recorded_length_)) prepare_steps();
  for (size_t i = 0; i < stages_.size(); ++i) {
    stages_[i].set_step(past, token);
    if (i > 0) LAVA_CHECK_OK(carry(stages_[i - 1].device(), stages_[i - 1].step_row(), stages_[i].device(), stages_[i].step_row()));
    recordings_[i]->replay();
  }
  LAVA_CHECK_OK(device().finish());
  slot.rows.push_back({0, token});
  return {};
}

void TextRunner::forget() {
  for (Slot& slot : slots_) slot.rows.clear(), slot.asked = slot.end = 0;
}

}  // namespace lava
