#include "kernels/cpu/memory.h"

#include <cstdlib>
#include <limits>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
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

// Bytes of RAM; overcommitting systems grant more and fail when it is touched.
size_t machine_memory() {
#ifdef __linux__
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  if (pages > 0 && size > 0) return static_cast<size_t>(pages) * static_cast<size_t>(size);
#endif
  return std::numeric_limits<size_t>::max() / 4;
}

}  // namespace

Result<std::unique_ptr<Buffer>> allocate_host(size_t bytes, BufferUse use) {
  const size_t alignment = bytes >= huge_page && use != BufferUse::sparse ? huge_page : 64;
  const auto refuse = [&] {
    return fail(Error::Kind::out_of_memory, "There is not enough memory", std::to_string(bytes >> 20) + " MiB could not be reserved",
                "Close other programs, or choose a smaller model or context");
  };
  if (bytes > machine_memory()) return refuse();
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment + (bytes == 0 ? alignment : 0);
  auto* data = static_cast<std::byte*>(::operator new(rounded, std::align_val_t(alignment), std::nothrow));
  if (!data) return refuse();
#ifdef __linux__
  if (alignment == huge_page) madvise(data, rounded, MADV_HUGEPAGE);  // advice only: smaller pages work too
  // A system that gives big pages unasked would fill the gaps; the advice wants whole pages, so the edges are left out.
  if (use == BufferUse::sparse && bytes >= huge_page) {
    const auto begin = (reinterpret_cast<uintptr_t>(data) + 4095) & ~uintptr_t{4095}, end = reinterpret_cast<uintptr_t>(data + rounded) & ~uintptr_t{4095};
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_NOHUGEPAGE);
  }
#endif
  return std::make_unique<HostBuffer>(data, bytes, alignment);
}

}  // namespace lava
