// Tests of devices with the library that stands for cuBLASLt. Other tests must not meet a real one, which would be given emulated streams.
#pragma once
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "kernels/cuda/cuda_device.h"
#include "tests/cuda/library/fake_cublaslt.h"

namespace lava {

inline const int no_library = setenv("LAVASCOPE_CUBLASLT", "off", 1);

class LibraryFixture : public testing::Test {
 protected:
  LibraryFixture() {
    setenv("LAVASCOPE_CUBLASLT", LAVA_FAKE_CUBLASLT, 1);
    void* library = dlopen(LAVA_FAKE_CUBLASLT, RTLD_NOW | RTLD_LOCAL);
    const auto entry = library ? reinterpret_cast<FakeCublasLt* (*)()>(dlsym(library, "fake_cublaslt")) : nullptr;
    if (!entry) ADD_FAILURE() << dlerror(), std::abort();
    fake = entry();
    *fake = {};
  }
  ~LibraryFixture() override {
    setenv("LAVASCOPE_CUBLASLT", "off", 1);
    EXPECT_EQ(fake->alive, 0);
  }
  std::unique_ptr<Device> open() {
    auto device = cuda::make_cuda_device(0);
    EXPECT_TRUE(device) << device.error().message();
    return std::move(*device);
  }
  FakeCublasLt* fake;
};

}  // namespace lava
