#include "kernels/cuda/memory.h"

#include <algorithm>

namespace lava::cuda {
namespace {

class CudaBuffer : public Buffer {
 public:
  CudaBuffer(int ordinal, std::byte* data, size_t size, bool shared) : ordinal_(ordinal), data_(data), size_(size), shared_(shared) {}
  ~CudaBuffer() override {
    if (cudaSetDevice(ordinal_) != cudaSuccess) return;  // the device is lost, and its memory with it
    static_cast<void>(shared_ ? cudaFreeHost(data_) : cudaFree(data_));
  }
  std::byte* data() const override { return data_; }
  size_t size() const override { return size_; }

 private:
  int ordinal_;
  std::byte* data_;
  size_t size_;
  bool shared_;
};

std::string megabytes(size_t bytes) { return std::to_string((bytes + (size_t{1} << 20) - 1) >> 20) + " MB"; }

tl::unexpected<Error> no_room(size_t bytes, bool shared) {
  if (shared) return fail(Error::Kind::out_of_memory, "There is not enough memory that the graphics card can reach", megabytes(bytes) + " were wanted", "Close other programs");
  size_t free = 0, total = 0;
  std::string cause = megabytes(bytes) + " were wanted";
  if (cudaMemGetInfo(&free, &total) == cudaSuccess) cause += ", " + megabytes(free) + " of " + megabytes(total) + " are free";
  return fail(Error::Kind::out_of_memory, "The graphics card has not enough free memory", std::move(cause),
              "Close other programs that use it, choose a smaller model, or use the processor");
}

}  // namespace

Error error_of(cudaError_t status, std::string what, std::string remedy) {
  return {Error::Kind::device_lost, std::move(what), std::string(cudaGetErrorName(status)) + ": " + cudaGetErrorString(status), std::move(remedy)};
}

Result<std::unique_ptr<Buffer>> allocate(int ordinal, size_t bytes, BufferUse use) {
  const bool shared = use == BufferUse::shared;
  const size_t wanted = std::max<size_t>(bytes, 1);
  void* data = nullptr;
  const cudaError_t status = shared ? cudaHostAlloc(&data, wanted, cudaHostAllocMapped | cudaHostAllocPortable) : cudaMalloc(&data, wanted);
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());  // told here: it is no error of the ops that follow
    return no_room(bytes, shared);
  }
  if (status != cudaSuccess) return tl::unexpected<Error>(error_of(status, "The graphics card gives no memory", "Restart the program"));
  return std::make_unique<CudaBuffer>(ordinal, static_cast<std::byte*>(data), bytes, shared);
}

}  // namespace lava::cuda
