#include "engine/core/text_stage.h"

#include <algorithm>
#include <new>

#include "kernels/ops.h"

namespace lava {
namespace {

constexpr size_t state_logits = 64;  // offset of the logits behind the step parameters
constexpr int least_recorded = 256;  // positions that the first recording of a device with sized recordings serves

}  // namespace

Result<void> carry(Device& from, const Tensor& rows, Device& to, const Tensor& target) {
  LAVA_CHECK_OK(from.finish());
  const size_t bytes = rows.bytes();
  if (from.info().host_memory) {
    to.upload(target.data, {rows.data, bytes});
    return {};
  }
  if (to.info().host_memory) {
    from.download({target.data, bytes}, rows.data);
    return from.finish();
  }
  std::vector<std::byte> between(bytes);
  from.download(between, rows.data);
  LAVA_CHECK_OK(from.finish());
  to.upload(target.data, between);
  return {};
}

Result<TextStage> TextStage::create(const DecoderPart& part, Adapters adapters, int chunk, size_t least_arena) {
  TextStage stage(part);
  LAVA_CHECK_OK(stage.allocate(adapters, chunk, least_arena));
  return stage;
}

Result<void> TextStage::allocate(Adapters all, int chunk, size_t least_arena) {
  const int64_t vocabulary = decoder().reads_out() ? decoder().config().vocabulary : 0;
  LAVA_TRY(state_, device().allocate(state_logits + static_cast<size_t>(vocabulary) * sizeof(float)));
  step_ = new (state_->data()) StepParams();
  if (decoder().reads_out()) logits_ = Tensor(DType::f32, {1, vocabulary}, state_->data() + state_logits);

  LAVA_TRY(const size_t planned, prefill_bytes(decoder(), all, chunk));
  const size_t arena = std::max(planned, least_arena);
  LAVA_TRY(memory_, device().allocate(arena, BufferUse::own));
  arena_ = Arena(memory_->data(), arena);
  LAVA_TRY(const size_t step, step_bytes(decoder(), all));
  LAVA_TRY(step_memory_, device().allocate(step, BufferUse::own));
  step_arena_ = Arena(step_memory_->data(), step);
  step_row_ = step_arena_.f32({1, decoder().config().width});
  return {};
}

// Memory that `body` takes of a stage without a device. It needs step parameters to point at, and nobody reads them.
template <class Body>
Result<size_t> TextStage::dry_run(const Decoder& decoder, const Body& body) {
  const auto device = make_plan_device();
  LAVA_TRY(const KvCache kv, KvCache::create(*device, decoder.kv_shape(DType::f32)));
  Arena arena;
  StepParams step;
  Run run{*device, arena, &step};
  TextStage stage({device.get(), &decoder});
  if (decoder.reads_out()) stage.logits_ = Tensor(DType::f32, {1, decoder.config().vocabulary}, nullptr);
  LAVA_CHECK_OK(body(stage, run, kv));
  return arena.high_water();
}

Result<size_t> TextStage::prefill_bytes(const Decoder& decoder, Adapters adapters, int chunk) {
  return dry_run(decoder, [&](const TextStage& stage, Run& run, const KvCache& kv) {
    return stage.pass(run, chunk, kv, adapters, true, [](Run&, const Tensor&, const Tensor&) { return Result<void>(); });
  });
}

Result<size_t> TextStage::step_bytes(const Decoder& decoder, Adapters adapters) {
  return dry_run(decoder, [&](const TextStage& stage, Run& run, const KvCache& kv) {
    stage.step_body(run, run.arena.f32({1, decoder.config().width}), kv, adapters);
    return Result<void>();
  });
}

Result<TextStage::Slot> TextStage::make_slot(DType kv) const {
  Slot slot;
  LAVA_TRY(slot.kv, KvCache::create(device(), decoder().kv_shape(kv)));
  return slot;
}

void TextStage::copy_rows(const Slot& from, Slot& to, int rows) const {
  const KvShape& shape = from.kv.shape();
  const size_t bytes = row_bytes(shape.dtype, whole_units(rows) * shape.head_dim);
  const auto copy = [&](const Tensor& source, const Tensor& target) {
    for (int head = 0; head < shape.kv_heads; ++head) device().copy(target.slice(head, 1).data, source.slice(head, 1).data, bytes);
  };
  for (int layer = shape.first; layer < shape.first + shape.layers; ++layer) {
    copy(from.kv.keys(layer), to.kv.keys(layer));
    copy(from.kv.values(layer), to.kv.values(layer));
  }
}

Result<Tensor> TextStage::chunk(int rows, int past, const Slot& slot, Adapters adapters, bool last, const std::atomic<bool>* cancel,
                                const Enter& enter) {
  Run run{device(), arena_, step_, cancel};
  step_->past = past;
  return pass(run, rows, slot.kv, adapters, last, enter);
}

Result<Tensor> TextStage::pass(Run& run, int rows, const KvCache& kv, Adapters adapters, bool last, const Enter& enter) const {
  const auto scope = run.arena.scope();
  const Tensor x = run.arena.f32({rows, decoder().config().width});
  const Tensor ids = run.arena.tensor(DType::i32, {rows});
  LAVA_CHECK_OK(enter(run, x, ids));
  LAVA_CHECK_OK(decoder().run_layers(run, x, kv, adapters));
  if (last && decoder().reads_out()) decoder().read_out(run, x.slice(rows - 1, 1), logits_);
  return x;
}

void TextStage::step_body(Run& run, const Tensor& x, const KvCache& kv, Adapters adapters) const {
  if (decoder().embeds()) ops::embed_step(run, x, decoder().embedding());
  const auto done = decoder().run_layers(run, x, kv, adapters);
  LAVA_CHECK(done.has_value());  // this run has no cancel flag
  if (decoder().reads_out()) decoder().read_out(run, x, logits_);
}

// Work of a recording that is sized by the length of the cache would be wasted on short ones: powers of two share it fairly.
int TextStage::recorded_length(int past) const {
  if (!device().info().sized_recordings) return 0;
  int length = least_recorded;
  while (length <= past) length *= 2;
  return std::min(length, decoder().context());
}

Recording* TextStage::recorded_step(Slot& slot, const Set& adapters, int past) {
  const int length = recorded_length(past);
  std::unique_ptr<Recording>& recording = slot.recordings[{adapters, length}];
  if (!recording) {
    step_->limit = length;
    recording = device().record([&] {
      Run run{device(), step_arena_, step_};
      step_body(run, step_row_, slot.kv, adapters);
    });
    step_->limit = 0;
  }
  return recording.get();
}

}  // namespace lava
