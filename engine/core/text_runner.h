// One decoder with its memory: brings prompts into the key-value cache, keeps them for the next request, and steps token by token.
// Where the decoder's layers are on several devices, the rows go from one to the next: once for a chunk of a prompt, once for a step.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/core/prompt.h"
#include "engine/core/text_stage.h"

namespace lava {

struct RunnerOptions {
  static constexpr int usual_chunk = 256, least_chunk = 16;  // the least: where memory is short

  int chunk = 0;  // rows of a prefill step; 0: best_chunk()
  int slots = 2;    // conversations kept
  DType kv = DType::f16;
  size_t least_arena = 0;  // bytes that somebody else who borrows the arena (of the last layers' device) needs
};

class TextRunner {
 public:
  using Progress = std::function<void(int done, int total)>;
  // A prompt that is brought in ahead of its question may never be asked: of two conversations it is always the one that leaves first.
  enum class Purpose { question, ahead };

  // Rows of a prefill step that suit the devices of these parts together.
  static int best_chunk(DecoderParts);

  // `adapters`: all that may ever be active. Everything is allocated here.
  static Result<std::unique_ptr<TextRunner>> create(DecoderParts, std::span<const Adapter* const> adapters, const RunnerOptions&);
  // A decoder that is whole on one device.
  static Result<std::unique_ptr<TextRunner>> create(Device&, const Decoder&, std::span<const Adapter* const> adapters,
                                                    const RunnerOptions&);

  // Computes the rows of the prompt that no slot holds yet. Afterwards logits() belong to the last row. Returns the number of rows
  // that were reused: all of them where a prompt that ended there was read before. Cancelled: the rows computed so far are kept. Ahead of a question, a slot that holds the whole prompt stays as it is,
  // and logits() belong to nothing.
  Result<int> prefill(const Prompt&, Adapters, const std::atomic<bool>* cancel = nullptr, const Progress& progress = {},
                      Purpose = Purpose::question);
  // Makes the recording that step() replays, so that the steps themselves allocate nothing (until the next length of a device that records
  // one for each).
  void prepare_steps();
  // Appends one token to the slot of the last prefill; logits() belong to it. There must be room(). Fails when the device was lost.
  Result<void> step(int32_t token);

  std::span<const float> logits() const { return {output().f32(), static_cast<size_t>(output().elements())}; }
  int room() const { return context() - static_cast<int>(slots_[current_].rows.size()); }
  int context() const { return stages_[0].decoder().context(); }
  DType kv_type() const { return slots_[0].parts[0].kv.shape().dtype; }
  size_t kv_bytes() const;
  size_t arena_bytes() const;
  // Where the last layers are, and with them the logits.
  Device& device() const { return stages_.back().device(); }
  // A run in the arena of this runner, on device(), for encoders between two prefills.
  Run borrow(const std::atomic<bool>* cancel) { return stages_.back().borrow(cancel); }
  void forget();  // empties all slots

 private:
  using Set = TextStage::Set;
  struct Slot {
    std::vector<TextStage::Slot> parts;  // of each stage
    std::vector<RowKey> rows;
    Set adapters;       // that were active when the rows were computed
    uint64_t used = 0;  // when a question used it last; 0: never
    int asked = 0;      // rows of the prompt of that question; what follows may be an answer, or prepared and never asked
    int end = 0;        // rows of a prompt whose logits are kept; 0: none
    std::vector<float> end_logits;
  };

  explicit TextRunner(int chunk) : chunk_(chunk) {}
  Result<void> allocate(DecoderParts, Adapters all, const RunnerOptions&);
  const TextConfig& config() const { return stages_[0].decoder().config(); }
  const Tensor& output() const { return stages_.back().logits(); }
  Result<void> finish() const;
  Result<void> chunk(const Prompt&, int begin, int count, const Slot&, Adapters, const std::atomic<bool>* cancel);
  void embed(Run&, const Prompt&, int begin, const Tensor& x, const Tensor& ids) const;
  struct Found {
    size_t slot = 0;
    int rows = 0;
  };
  Found longest_beginning(const Prompt&, Adapters) const;
  size_t oldest_slot() const;
  int choose_slot(const Prompt&, Adapters, const Found& best, Purpose);
  void copy_rows(const Slot& from, Slot& to, int rows) const;

  int chunk_;
  std::vector<TextStage> stages_;
  std::vector<Slot> slots_;
  size_t current_ = 0;
  std::vector<Recording*> recordings_;  // of the step, one of each stage; empty: not prepared
  int recorded_length_ = 0;             // positions that all of them serve; 0: all
  uint64_t clock_ = 0;
};

}  // namespace lava
