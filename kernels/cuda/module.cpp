// What lavascope-cuda.so exports.
#include "kernels/module.h"

#include <cuda_runtime.h>
#include <dlfcn.h>

#include <fstream>

#include "kernels/cuda/cuda_device.h"
#include "kernels/cuda/memory.h"

namespace lava::cuda {
namespace {

bool driver_installed() {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver) dlclose(driver);
  return driver != nullptr;
}

// Ordinals of the cards that can run the kernels: the index of open() counts these.
Result<std::vector<int>> usable() {
  int count = 0;
  const cudaError_t status = driver_installed() ? cudaGetDeviceCount(&count) : cudaErrorNoDevice;
  if (status == cudaErrorNoDevice) return std::vector<int>();
  if (status == cudaErrorInsufficientDriver) {
    return fail(Error::Kind::unsupported, "The NVIDIA driver is too old", cudaGetErrorString(status), "Install a newer driver");
  }
  if (status != cudaSuccess) return tl::unexpected<Error>(error_of(status, "The NVIDIA driver does not answer", "Restart the computer, or install the driver again"));
  std::vector<int> ordinals;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    int major = 0;
    if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal) == cudaSuccess && major >= least_compute_major) ordinals.push_back(ordinal);
  }
  return ordinals;
}

// What the toolkit tells of the driver stays the same over many updates; the kernel's part names its own version in its first line.
std::string driver_version() {
  int interface = 0;
  cudaDriverGetVersion(&interface);
  std::string line;
  std::getline(std::ifstream("/proc/driver/nvidia/version"), line);
  return std::to_string(interface) + " " + line;
}

Result<std::vector<ModuleDevice>> list() {
  LAVA_TRY(const std::vector<int> ordinals, usable());
  std::vector<ModuleDevice> devices;
  for (const int ordinal : ordinals) {
    cudaDeviceProp properties{};
    if (const cudaError_t status = cudaGetDeviceProperties(&properties, ordinal); status != cudaSuccess) {
      return tl::unexpected<Error>(error_of(status, "A graphics card does not answer", "Restart the computer"));
    }
    devices.push_back({properties.name, properties.totalGlobalMem, properties.integrated != 0, false, driver_version()});
  }
  return devices;
}

Result<std::unique_ptr<Device>> open(int index) {
  LAVA_TRY(const std::vector<int> ordinals, usable());
  if (index < 0 || static_cast<size_t>(index) >= ordinals.size()) {
    return fail(Error::Kind::not_found, "There is no such graphics card", "card " + std::to_string(index) + " was asked for, " + std::to_string(ordinals.size()) + " can be used",
                "Choose one of the listed devices");
  }
  return make_cuda_device(ordinals[static_cast<size_t>(index)]);
}

constexpr DeviceModule exported{module_abi, "cuda", list, open};

}  // namespace
}  // namespace lava::cuda

extern "C" [[gnu::visibility("default")]] const lava::DeviceModule* lava_device_module() { return &lava::cuda::exported; }
