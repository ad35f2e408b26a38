#include "kernels/cpu/memory.h"

#include <cstdlib>
#include <limits>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace lava {
namespace {

constexpr size_t huge_page = size_t{2} << 20;

class HostBuffer : public Buffer {
 public:
  HostBuffer(std::byte* data, size_t size, size_t alignment) : data_(data), size_(size), alignment_(alignment) {}
  ~HostBuffer() override { ::operator delete(data_, std::align_val_t(alignment_)); }
  std::byte* data() const override { return data_; }
  size_t size() const override { return size_; }

 private:
  std::byte* data_;
  size_t size_, alignment_;
};

}  // namespace

Result<std::unique_ptr<Buffer>> allocate_host(size_t bytes) {
  const size_t alignment = bytes >= huge_page ? huge_page : 64;
  const auto refuse = [&] {
    return fail(Error::Kind::out_of_memory, "There is not enough memory", std::to_string(bytes >> 20) + " MiB could not be reserved",
                "Close other programs, or choose a smaller model or context");
  };
  if (bytes > std::numeric_limits<size_t>::max() / 4) return refuse();
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment + (bytes == 0 ? alignment : 0);
  auto* data = static_cast<std::byte*>(::operator new(rounded, std::align_val_t(alignment), std::nothrow));
  if (!data) return refuse();
#ifdef __linux__
  if (alignment == huge_page) madvise(data, rounded, MADV_HUGEPAGE);  // advice only: smaller pages work too
#endif
  return std::make_unique<HostBuffer>(data, bytes, alignment);
}

}  // namespace lava
