#include "engine/core/text_reader.h"

#include <cstring>
#include <new>

#include "kernels/ops.h"

namespace lava {

Result<std::unique_ptr<TextReader>> TextReader::create(Device& device, const Decoder& decoder, const ReaderOptions& options) {
  LAVA_CHECK(options.window > 0 && options.window <= decoder.context() && options.chunk > 0);
  std::unique_ptr<TextReader> reader(new TextReader(device, decoder, options));
  if (reader->options_.chunk > options.window) reader->options_.chunk = options.window;
  LAVA_CHECK_OK(reader->allocate());
  return reader;
}

Result<void> TextReader::allocate() {
  LAVA_TRY(step_memory_, device_.allocate(sizeof(StepParams)));
  step_ = new (step_memory_->data()) StepParams();
  LAVA_TRY(const size_t bytes, plan());
  LAVA_TRY(memory_, device_.allocate(bytes));
  arena_ = Arena(memory_->data(), bytes);
  place(arena_);
  LAVA_TRY(kv_, KvCache::create(device_, kv_shape()));
  return {};
}

// Of one window, not of the whole context.
KvShape TextReader::kv_shape() const {
  KvShape shape = decoder_.kv_shape(options_.kv);
  shape.context = options_.window;
  return shape;
}

// What stays between the calls.
void TextReader::place(Arena& arena) {
  x_ = arena.f32({options_.chunk, decoder_.config().width});
  ids_ = arena.tensor(DType::i32, {options_.chunk});
  logits_ = arena.f32({logit_rows(), decoder_.config().vocabulary});
}

Result<size_t> TextReader::plan() const {
  const auto device = make_plan_device();
  LAVA_TRY(const KvCache kv, KvCache::create(*device, kv_shape()));
  TextReader planned(*device, decoder_, options_);
  Arena arena;
  planned.place(arena);
  Run run{*device, arena, step_};
  LAVA_CHECK_OK(decoder_.run_layers(run, planned.x_, kv, {}));
  decoder_.read_out(run, planned.x_.slice(0, logit_rows()), planned.logits_);
  return arena.high_water();
}

Result<void> TextReader::advance(std::span<const int32_t> ids) {
  const int count = static_cast<int>(ids.size());
  LAVA_CHECK(count > 0 && count <= options_.chunk && past_ + count <= options_.window);
  for (const int32_t id : ids) LAVA_CHECK(id >= 0 && id < decoder_.config().vocabulary);
  std::memcpy(ids_.data, ids.data(), ids.size_bytes());
  step_->past = past_;
  past_ += count;
  Run run{device_, arena_, step_};
  const Tensor x = x_.slice(0, count);
  ops::embed_rows(run, x, decoder_.embedding(), ids_.slice(0, count));
  LAVA_CHECK_OK(decoder_.run_layers(run, x, kv_, {}));
  return device_.finish();
}

Result<Tensor> TextReader::logits(int first, int count) {
  LAVA_CHECK(count > 0 && count <= logit_rows());
  Run run{device_, arena_, step_};
  const Tensor out = logits_.slice(0, count);
  decoder_.read_out(run, x_.slice(first, count), out);
  LAVA_CHECK_OK(device_.finish());
  return out;
}

}  // namespace lava
