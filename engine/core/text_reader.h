// A text through a decoder with the logits of every position, for measuring: perplexity, and how far two arithmetics are apart.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "engine/core/text_stage.h"

namespace lava {

struct ReaderOptions {
  int window = 512;  // positions of the cache; at most the decoder's context
  int chunk = 256;   // positions that go through the layers together; 1: as an answer is written
  DType kv = DType::f16;
};

class TextReader {
 public:
  static constexpr int most_logit_rows = 32;  // positions whose logits are computed together: a vocabulary of 128k takes 16 MiB

  // Everything is allocated here.
  static Result<std::unique_ptr<TextReader>> create(DecoderParts, const ReaderOptions&);
  // A decoder that is whole on one device.
  static Result<std::unique_ptr<TextReader>> create(Device&, const Decoder&, const ReaderOptions&);

  void start() { past_ = 0; }  // the next ids are the beginning of a text
  // The next ids of the text, at most `chunk` of them and at most `window` in all.
  Result<void> advance(std::span<const int32_t> ids);
  // Logits [count, vocabulary] of positions first .. first + count of the last advance(); overwritten by the next call.
  // count: at most logit_rows().
  Result<Tensor> logits(int first, int count);

  int window() const { return options_.window; }
  int chunk() const { return options_.chunk; }
  int logit_rows() const { return options_.chunk < most_logit_rows ? options_.chunk : most_logit_rows; }

 private:
  // The layers of one device with their memory. The processor writes the ids and reads the logits where they are.
  struct Stage {
    DecoderPart part;
    KvCache kv;
    std::unique_ptr<Buffer> memory, step_memory;
    Arena arena{nullptr, 0};
    StepParams* step = nullptr;
    Tensor x, ids, logits;  // [chunk, width], i32 [chunk] where it embeds, [logit_rows, vocabulary] where it reads out

    Run run() { return Run{*part.device, arena, step}; }
  };

  explicit TextReader(const ReaderOptions& options) : options_(options) {}
  Result<void> add(const DecoderPart&);
  Result<size_t> plan(const Decoder&) const;
  KvShape kv_shape(const Decoder&) const;
  void place(const Decoder&, Arena& arena, Stage& stage) const;

  ReaderOptions options_;
  std::vector<Stage> stages_;
  int past_ = 0;  // positions in the cache
};

}  // namespace lava
