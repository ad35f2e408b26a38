// The Vulkan module, opened as a program opens it.
#pragma once
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/module.h"
#include "kernels/ops.h"

namespace lava::test {

inline const DeviceModule& module() {
  static const DeviceModule* const opened = [] {
    void* library = dlopen(LAVA_MODULE, RTLD_NOW | RTLD_LOCAL);
    const auto entry = library ? reinterpret_cast<const DeviceModule* (*)()>(dlsym(library, module_entry)) : nullptr;
    return entry ? entry() : nullptr;
  }();
  LAVA_CHECK(opened != nullptr);
  return *opened;
}

class Vulkan : public testing::Test {
 protected:
  void SetUp() override {
    cache_ = std::filesystem::temp_directory_path() / ("lavascope-vulkan-test-" + std::to_string(getpid()));
    setenv("XDG_CACHE_HOME", cache_.c_str(), 1);
    const auto devices = module().list();
    if (!devices || devices->empty()) GTEST_SKIP() << "no Vulkan device here: " << (devices ? "none is listed" : devices.error().message());
    device_ = open();
    ASSERT_TRUE(device_);
  }
  void TearDown() override {
    device_.reset();
    std::filesystem::remove_all(cache_);
  }
  static std::unique_ptr<Device> open() {
    auto device = module().open(0);
    EXPECT_TRUE(device) << device.error().message();
    return device ? std::move(*device) : nullptr;
  }
  std::unique_ptr<Buffer> allocate(size_t bytes, BufferUse use) {
    auto buffer = device_->allocate(bytes, use);
    EXPECT_TRUE(buffer) << buffer.error().message();
    return std::move(*buffer);
  }
  void expect_finished() {
    const auto finished = device_->finish();
    EXPECT_TRUE(finished) << finished.error().message();
  }

  std::filesystem::path cache_;
  std::unique_ptr<Device> device_;
};

inline std::span<const std::byte> bytes_of(const std::vector<float>& values) { return std::as_bytes(std::span(values)); }
inline std::span<std::byte> writable_bytes_of(std::vector<float>& values) { return std::as_writable_bytes(std::span(values)); }

}  // namespace lava::test
