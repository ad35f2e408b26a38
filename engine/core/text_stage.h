// The layers that one device computes, and what they need beside weights and cache: working memory, step parameters, recorded steps.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/kv/full.h"
#include "engine/layers/decoder.h"
#include "kernels/run.h"

namespace lava {

// A decoder, or one of its parts, and where it is. Parts are in the order of their layers.
struct DecoderPart {
  Device* device = nullptr;
  const Decoder* decoder = nullptr;
};
using DecoderParts = std::span<const DecoderPart>;

// The rows [rows, width] that a part left, to where the next part finds them. Fails when a device was lost.
Result<void> carry(Device& from, const Tensor& rows, Device& to, const Tensor& target);

class TextStage {
 public:
  using Set = std::vector<const Adapter*>;
  // Keys and values of one conversation in these layers, and the recordings that work on them, by adapters and recorded_length().
  struct Slot {
    KvCache kv;
    std::map<std::pair<Set, int>, std::unique_ptr<Recording>> recordings;
  };
  // Puts the rows of a chunk into x [rows, width]; ids i32 [rows] is there to be used.
  using Enter = std::function<Result<void>(Run&, const Tensor& x, const Tensor& ids)>;

  // `adapters`: all that may ever be active. Everything but the slots is allocated here.
  static Result<TextStage> create(const DecoderPart&, Adapters adapters, int chunk, size_t least_arena);
  // Bytes of working memory for chunks of so many rows, and for decode steps.
  static Result<size_t> prefill_bytes(const Decoder&, Adapters, int chunk);
  static Result<size_t> step_bytes(const Decoder&, Adapters);

  Result<Slot> make_slot(DType kv) const;
  // The first rows of every layer, from one slot to another.
  void copy_rows(const Slot& from, Slot& to, int rows) const;

  // Rows at positions past .. through the layers, and the last row to the logits where `last`. They stay until the arena is used again.
  Result<Tensor> chunk(int rows, int past, const Slot&, Adapters, bool last, const std::atomic<bool>* cancel, const Enter&);

  // The row of a decode step, when it does not begin here.
  const Tensor& step_row() const { return step_row_; }
  // The recording of a step at position `past`, made where there is none yet.
  Recording* recorded_step(Slot&, const Set&, int past);
  // Positions that this recording serves; 0: all.
  int recorded_length(int past) const;
  void set_step(int past, int32_t token) { step_->past = past, step_->token = token; }

  Device& device() const { return *part_.device; }
  const Decoder& decoder() const { return *part_.decoder; }
  const Tensor& logits() const { return logits_; }  // [1, vocabulary], where the decoder reads out
  size_t arena_bytes() const { return arena_.capacity() + step_arena_.capacity(); }
  Run borrow(const std::atomic<bool>* cancel) { return Run{device(), arena_, nullptr, cancel}; }

 private:
  template <class Body>
  static Result<size_t> dry_run(const Decoder&, const Body& body);
  explicit TextStage(const DecoderPart& part) : part_(part) {}
  Result<void> allocate(Adapters all, int chunk, size_t least_arena);
  Result<Tensor> pass(Run&, int rows, const KvCache&, Adapters, bool last, const Enter&) const;
  void step_body(Run&, const Tensor& x, const KvCache&, Adapters) const;

  DecoderPart part_;
  std::unique_ptr<Buffer> memory_, step_memory_, state_;
  Arena arena_{nullptr, 0}, step_arena_{nullptr, 0};
  StepParams* step_ = nullptr;
  Tensor logits_, step_row_;  // step_row_: [1, width]
};

}  // namespace lava
