// Bump allocator for intermediates, sized at load by a dry run. Scopes free by leaving. Never grows.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "kernels/check.h"
#include "kernels/tensor.h"

namespace lava {

class Arena {
 public:
  static constexpr size_t alignment = 64;

  // A planning arena: hands out addresses that nobody may touch and remembers the high-water mark.
  Arena() : capacity_(std::numeric_limits<size_t>::max() / 2), planning_(true) {}
  Arena(std::byte* memory, size_t bytes) : base_(memory), capacity_(bytes) {}

  bool planning() const { return planning_; }
  size_t high_water() const { return high_water_; }
  size_t used() const { return used_; }
  size_t capacity() const { return capacity_; }

  void* allocate(size_t bytes) {
    const size_t aligned = (bytes + alignment - 1) / alignment * alignment;
    LAVA_CHECK(aligned >= bytes && aligned <= capacity_ - used_);  // the dry run at load must have covered this
    std::byte* address = planning_ ? reinterpret_cast<std::byte*>(alignment + used_) : base_ + used_;
    used_ += aligned;
    if (used_ > high_water_) high_water_ = used_;
    return address;
  }
  Tensor tensor(DType type, std::initializer_list<int64_t> shape) {
    Tensor t(type, shape, nullptr);
    t.data = static_cast<std::byte*>(allocate(t.bytes()));
    return t;
  }
  Tensor f32(std::initializer_list<int64_t> shape) { return tensor(DType::f32, shape); }

  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), mark_(arena.used_) {}
    ~Scope() { arena_.used_ = mark_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    size_t mark_;
  };
  [[nodiscard]] Scope scope() { return Scope(*this); }

 private:
  std::byte* base_ = nullptr;
  size_t capacity_ = 0, used_ = 0, high_water_ = 0;
  bool planning_ = false;
};

}  // namespace lava
