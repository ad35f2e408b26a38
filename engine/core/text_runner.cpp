#include "engine/core/text_runner.h"

#include <algorithm>
#include <cstring>

#include "kernels/ops.h"

namespace lava {
namespace {

constexpr size_t state_logits = 64;  // offset of the logits behind the step parameters
constexpr int least_recorded = 256;  // positions that the first recording of a device with sized recordings serves

int common_rows(const std::vector<RowKey>& a, const std::vector<RowKey>& b) {
  const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<int>(end - a.begin());
}

bool same_set(const std::vector<const Adapter*>& a, Adapters b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace

Result<std::unique_ptr<TextRunner>> TextRunner::create(Device& device, const Decoder& decoder, std::span<const Adapter* const> adapters,
                                                       const RunnerOptions& options) {
  std::unique_ptr<TextRunner> runner(new TextRunner(device, decoder, std::min(options.chunk, decoder.context())));
  LAVA_CHECK_OK(runner->allocate(adapters, options));
  return runner;
}

Result<void> TextRunner::allocate(Adapters all, const RunnerOptions& options) {
  const int64_t vocabulary = decoder_.config().vocabulary;
  LAVA_TRY(state_, device_.allocate(state_logits + static_cast<size_t>(vocabulary) * sizeof(float)));
  step_ = new (state_->data()) StepParams();
  logits_ = Tensor(DType::f32, {1, vocabulary}, state_->data() + state_logits);

  LAVA_TRY(const size_t prefill_bytes, plan_prefill(all));
  const size_t arena_bytes = std::max(prefill_bytes, options.least_arena);
  LAVA_TRY(memory_, device_.allocate(arena_bytes, BufferUse::own));
  arena_ = Arena(memory_->data(), arena_bytes);
  LAVA_TRY(const size_t step_bytes, plan_step(all));
  LAVA_TRY(step_memory_, device_.allocate(step_bytes, BufferUse::own));
  step_arena_ = Arena(step_memory_->data(), step_bytes);

  for (int i = 0; i < options.slots; ++i) {
    Slot slot;
    LAVA_TRY(slot.kv, KvCache::create(device_, decoder_.kv_shape(options.kv)));
    slot.rows.reserve(static_cast<size_t>(context()));
    slot.end_logits.reserve(static_cast<size_t>(vocabulary));
    slots_.push_back(std::move(slot));
  }
  return {};
}

Result<size_t> TextRunner::plan_prefill(Adapters all) const {
  const auto device = make_plan_device();
  LAVA_TRY(const KvCache kv, KvCache::create(*device, decoder_.kv_shape(DType::f32)));
  Arena arena;
  Run run{*device, arena, step_};
  LAVA_CHECK_OK(chunk(run, nullptr, 0, chunk_, kv, all, true));
  return arena.high_water();
}

Result<size_t> TextRunner::plan_step(Adapters all) const {
  const auto device = make_plan_device();
  LAVA_TRY(const KvCache kv, KvCache::create(*device, decoder_.kv_shape(DType::f32)));
  Arena arena;
  Run run{*device, arena, step_};
  step_body(run, kv, all);
  return arena.high_water();
}

Result<int> TextRunner::prefill(const Prompt& prompt, Adapters adapters, const std::atomic<bool>* cancel, const Progress& progress,
                                Purpose purpose) {
  LAVA_CHECK(prompt.size() > 0 && prompt.size() <= context());
  const Found best = longest_beginning(prompt, adapters);
  if (purpose == Purpose::ahead && best.rows == prompt.size()) return best.rows;
  const int reused = choose_slot(prompt, adapters, best, purpose);
  Slot& slot = slots_[current_];
  recording_ = nullptr;
  Run run{device_, arena_, step_, cancel};
  for (int begin = reused; begin < prompt.size(); begin += chunk_) {
    if (progress) progress(begin, prompt.size());
    const int count = std::min(chunk_, prompt.size() - begin);
    step_->past = begin;
    const auto done = chunk(run, &prompt, begin, count, slot.kv, adapters, begin + count == prompt.size());
    LAVA_CHECK_OK(device_.finish());  // also when cancelled: ops under way read the step parameters
    LAVA_CHECK_OK(done);
    slot.rows.insert(slot.rows.end(), prompt.keys.begin() + begin, prompt.keys.begin() + begin + count);
  }
  if (reused < prompt.size()) {
    slot.end_logits.assign(logits().begin(), logits().end());
    slot.end = prompt.size();
  } else {
    std::copy(slot.end_logits.begin(), slot.end_logits.end(), logits_.f32());
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
  const KvShape& shape = from.kv.shape();
  const size_t bytes = row_bytes(shape.dtype, int64_t{rows} * shape.head_dim);
  const auto copy = [&](const Tensor& source, const Tensor& target) {
    for (int head = 0; head < shape.kv_heads; ++head) device_.copy(target.slice(head, 1).data, source.slice(head, 1).data, bytes);
  };
  for (int layer = 0; layer < shape.layers; ++layer) {
    copy(from.kv.keys(layer), to.kv.keys(layer));
    copy(from.kv.values(layer), to.kv.values(layer));
  }
}

// Rows begin .. begin + count of the prompt through all layers. A planning run has no prompt.
Result<void> TextRunner::chunk(Run& run, const Prompt* prompt, int begin, int count, const KvCache& kv, Adapters adapters,
                               bool last) const {
  const auto scope = run.arena.scope();
  const Tensor x = run.arena.f32({count, decoder_.config().width});
  const Tensor ids = run.arena.tensor(DType::i32, {count});
  if (!run.planning()) embed(run, *prompt, begin, x, ids);
  LAVA_CHECK_OK(decoder_.run_layers(run, x, kv, adapters));
  if (last) decoder_.read_out(run, x.slice(count - 1, 1), logits_);
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
      LAVA_CHECK(tokens.back() >= 0 && tokens.back() < decoder_.config().vocabulary);
    }
    const Tensor place = ids.slice(first, i - first);
    run.device.upload(place.data, std::as_bytes(std::span(tokens)));
    ops::embed_rows(run, x.slice(first, i - first), decoder_.embedding(), place);
  }
}

void TextRunner::step_body(Run& run, const KvCache& kv, Adapters adapters) const {
  const auto scope = run.arena.scope();
  const Tensor x = run.arena.f32({1, decoder_.config().width});
  ops::embed_step(run, x, decoder_.embedding());
  const auto done = decoder_.run_layers(run, x, kv, adapters);
  LAVA_CHECK(done.has_value());  // this run has no cancel flag
  decoder_.read_out(run, x, logits_);
}

// Work of a recording that is sized by the length of the cache would be wasted on short ones: powers of two share it fairly. 0: one for all.
int TextRunner::recorded_length(int past) const {
  if (!device_.info().sized_recordings) return 0;
  int length = least_recorded;
  while (length <= past) length *= 2;
  return std::min(length, context());
}

void TextRunner::prepare_steps() {
  Slot& slot = slots_[current_];
  recording_length_ = recorded_length(static_cast<int>(slot.rows.size()));
  std::unique_ptr<Recording>& recording = slot.recordings[{slot.adapters, recording_length_}];
  if (!recording) {
    step_->limit = recording_length_;
    recording = device_.record([&] {
      Run run{device_, step_arena_, step_};
      step_body(run, slot.kv, slot.adapters);
    });
    step_->limit = 0;
  }
  recording_ = recording.get();
}

Result<void> TextRunner::step(int32_t token) {
  Slot& slot = slots_[current_];
  LAVA_CHECK(room() > 0 && token >= 0 && token < decoder_.config().vocabulary);
  const int past = static_cast<int>(slot.rows.size());
  if (!recording_ || (recording_length_ > 0 && past >= recording_length_)) prepare_steps();
  step_->past = past;
  step_->token = token;
  recording_->replay();
  LAVA_CHECK_OK(device_.finish());
  slot.rows.push_back({0, token});
  return {};
}

void TextRunner::forget() {
  for (Slot& slot : slots_) slot.rows.clear(), slot.asked = slot.end = 0;
}

}  // namespace lava
