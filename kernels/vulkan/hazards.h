// Where barriers must stand: what was read and written since the last one, as byte ranges of the addresses that tensors carry.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "kernels/tensor.h"

namespace lava::vulkan {

struct Access {
  const std::byte *begin, *end;
  bool written;
};

// All bytes from the first to the last value, gaps between strides with them.
Access access_of(const Tensor& t, bool written);

class Hazards {
 public:
  Hazards() { since_.reserve(most); }
  // Takes up a piece of work. True: a barrier must stand before it, because it reads what was written since the last one, or writes
  // what was read or written.
  bool add(std::span<const Access> work);
  void barrier() { since_.clear(), unknown_ = false; }  // one stands here for another reason
  void unknown() { unknown_ = true; }  // something ran that was not added: a barrier must stand before whatever comes next

 private:
  static constexpr size_t most = 256;  // more at once, and a barrier is cheaper than looking for the need of one
  std::vector<Access> since_;
  bool unknown_ = false;
};

}  // namespace lava::vulkan
