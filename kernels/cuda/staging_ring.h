// Where the next piece of an upload waits in pinned memory: slots of one size, used in turn. A slot may be filled again when the copy
// that last used it is done; the caller waits for that (wait_for) before it fills.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace lava::cuda {

class StagingRing {
 public:
  StagingRing(size_t slot_bytes, size_t slots) : slot_bytes_(slot_bytes), slots_(slots) {}

  struct Piece {
    size_t slot;    // index of the slot, and of its event
    size_t offset;  // of the slot in the ring's memory
    size_t bytes;
    bool wait;      // the slot has been used before
  };

  // The next piece of an upload of which `left` bytes remain; left > 0.
  Piece next(size_t left) {
    const auto slot = static_cast<size_t>(taken_ % slots_);
    const bool wait = taken_ >= slots_;
    ++taken_;
    return {slot, slot * slot_bytes_, std::min(left, slot_bytes_), wait};
  }
  size_t bytes() const { return slot_bytes_ * slots_; }
  size_t slots() const { return slots_; }

 private:
  size_t slot_bytes_, slots_;
  uint64_t taken_ = 0;
};

}  // namespace lava::cuda
