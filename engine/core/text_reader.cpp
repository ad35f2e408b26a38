#include "engine/core/text_reader.h"

#include <cstring>
#include <new>

#include "kernels/ops.h"

namespace lava {

Result<std::unique_ptr<TextReader>> TextReader::create(DecoderParts parts, const ReaderOptions& options) {
  LAVA_CHECK(!parts.empty() && parts.front().decoder->embeds() && parts.back().decoder->reads_out());
  LAVA_CHECK(options.window > 0 && options.window <= parts.front().decoder->context() && options.chunk > 0);
  std::unique_ptr<TextReader> reader(new TextReader(options));
  if (reader->options_.chunk > options.window) reader->options_.chunk = options.window;
  reader->stages_.reserve(parts.size());
  for (const DecoderPart& part : parts) LAVA_CHECK_OK(reader->add(part));
  return reader;
}

Result<std::unique_ptr<TextReader>> TextReader::create(Device& device, const Decoder& decoder, const ReaderOptions& options) {
  const DecoderPart whole{&device, &decoder};
  return create({&whole, 1}, options);
}

Result<void> TextReader::add(const DecoderPart& part) {
  Stage stage{.part = part};
  LAVA_TRY(stage.step_memory, part.device->allocate(sizeof(StepParams)));
  stage.step = new (stage.step_memory->data()) StepParams();
  LAVA_TRY(const size_t bytes, plan(*part.decoder));
  LAVA_TRY(stage.memory, part.device->allocate(bytes));
  stage.arena = Arena(stage.memory->data(), bytes);
  place(*part.decoder, stage.arena, stage);
  LAVA_TRY(stage.kv, KvCache::create(*part.device, kv_shape(*part.decoder)));
  stages_.push_back(std::move(stage));
  return {};
}

// Of one window, not of the whole context.
KvShape TextReader::kv_shape(const Decoder& decoder) const {
  KvShape shape = decoder.kv_shape(options_.kv);
  shape.context = options_.window;
  return shape;
}

// What stays between the calls.
void TextReader::place(const Decoder& decoder, Arena& arena, Stage& stage) const {
  stage.x = arena.f32({options_.chunk, decoder.config().width});
  if (decoder.embeds()) stage.ids = arena.tensor(DType::i32, {options_.chunk});
  if (decoder.reads_out()) stage.logits = arena.f32({logit_rows(), decoder.config().vocabulary});
}

Result<size_t> TextReader::plan(const Decoder& decoder) const {
  const auto device = make_plan_device();
  LAVA_TRY(const KvCache kv, KvCache::create(*device, kv_shape(decoder)));
  StepParams step;
  Stage planned;
  Arena arena;
  place(decoder, arena, planned);
  Run run{*device, arena, &step};
  LAVA_CHECK_OK(decoder.run_layers(run, planned.x, kv, {}));
  if (decoder.reads_out()) decoder.read_out(run, planned.x.slice(0, logit_rows()), planned.logits);
  return arena.high_water();
}

Result<void> TextReader::advance(std::span<const int32_t> ids) {
  const int count = static_cast<int>(ids.size());
  LAVA_CHECK(count > 0 && count <= options_.chunk && past_ + count <= options_.window);
  for (const int32_t id : ids) LAVA_CHECK(id >= 0 && id < stages_[0].part.decoder->config().vocabulary);
  std::memcpy(stages_[0].ids.data, ids.data(), ids.size_bytes());
  for (size_t i = 0; i < stages_.size(); ++i) {
    Stage& stage = stages_[i];
    const Decoder& decoder = *stage.part.decoder;
    const Tensor x = stage.x.slice(0, count);
    stage.step->past = past_;
    Run run = stage.run();
    if (i > 0) LAVA_CHECK_OK(carry(*stages_[i - 1].part.device, stages_[i - 1].x.slice(0, count), run.device, x));
    else ops::embed_rows(run, x, decoder.embedding(), stage.ids.slice(0, count));
    LAVA_CHECK_OK(decoder.run_layers(run, x, stage.kv, {}));
  }
  past_ += count;
  return stages_.back().part.device->finish();
}

Result<Tensor> TextReader::logits(int first, int count) {
  LAVA_CHECK(count > 0 && count <= logit_rows());
  Stage& last = stages_.back();
  Run run = last.run();
  const Tensor out = last.logits.slice(0, count);
  last.part.decoder->read_out(run, last.x.slice(first, count), out);
  LAVA_CHECK_OK(last.part.device->finish());
  return out;
}

}  // namespace lava
