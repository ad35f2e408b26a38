// One decoder with its memory: brings prompts into the key-value cache, keeps them for the next request, and steps token by token.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "engine/core/prompt.h"
#include "engine/kv/full.h"
#include "engine/layers/decoder.h"
#include "kernels/run.h"

namespace lava {

struct RunnerOptions {
  int chunk = 256;  // rows of a prefill step
  int slots = 2;    // conversations kept
  DType kv = DType::f16;
  size_t least_arena = 0;  // bytes that somebody else who borrows the arena needs
};

class TextRunner {
 public:
  using Progress = std::function<void(int done, int total)>;
  // A prompt that is brought in ahead of its question may never be asked: of two conversations it is always the one that leaves first.
  enum class Purpose { question, ahead };

  // `adapters`: all that may ever be active. Everything is allocated here.
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

  std::span<const float> logits() const { return {logits_.f32(), static_cast<size_t>(logits_.elements())}; }
  int room() const { return context() - static_cast<int>(slots_[current_].rows.size()); }
  int context() const { return decoder_.context(); }
  DType kv_type() const { return slots_[0].kv.shape().dtype; }
  size_t kv_bytes() const { return slots_.size() * slots_[0].kv.shape().bytes(); }
  size_t arena_bytes() const { return arena_.capacity() + step_arena_.capacity(); }
  // A run in the arena of this runner, for encoders between two prefills.
  Run borrow(const std::atomic<bool>* cancel) { return Run{device_, arena_, nullptr, cancel}; }
  void forget();  // empties all slots

 private:
  using Set = std::vector<const Adapter*>;
  struct Slot {
    KvCache kv;
    std::vector<RowKey> rows;
    Set adapters;       // that were active when the rows were computed
    uint64_t used = 0;  // when a question used it last; 0: never
    int asked = 0;      // rows of the prompt of that question; what follows may be an answer, or prepared and never asked
    int end = 0;        // rows of a prompt whose logits are kept; 0: none
    std::vector<float> end_logits;
    std::map<std::pair<Set, int>, std::unique_ptr<Recording>> recordings;  // by adapters and recorded_length()
  };

  TextRunner(Device& device, const Decoder& decoder, int chunk) : device_(device), decoder_(decoder), chunk_(chunk) {}
  Result<void> allocate(Adapters all, const RunnerOptions&);
  Result<size_t> plan_prefill(Adapters all) const;
  Result<size_t> plan_step(Adapters all) const;
  Result<void> chunk(Run&, const Prompt*, int begin, int count, const KvCache&, Adapters, bool last) const;
  void embed(Run&, const Prompt&, int begin, const Tensor& x, const Tensor& ids) const;
  void step_body(Run&, const KvCache&, Adapters) const;
  int recorded_length(int past) const;
  struct Found {
    size_t slot = 0;
    int rows = 0;
  };
  Found longest_beginning(const Prompt&, Adapters) const;
  size_t oldest_slot() const;
  int choose_slot(const Prompt&, Adapters, const Found& best, Purpose);
  void copy_rows(const Slot& from, Slot& to, int rows) const;

  Device& device_;
  const Decoder& decoder_;
  int chunk_;
  std::unique_ptr<Buffer> memory_, step_memory_, state_;
  Arena arena_{nullptr, 0}, step_arena_{nullptr, 0};
  StepParams* step_ = nullptr;
  Tensor logits_;  // [1, vocabulary]
  std::vector<Slot> slots_;
  size_t current_ = 0;
  Recording* recording_ = nullptr;
  int recording_length_ = 0;
  uint64_t clock_ = 0;
};

}  // namespace lava
