// lavascope-cuda.so as the program opens it. Without a driver it lists nothing and complains about nothing; with a card every op runs on it.
#include "kernels/module.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "kernels/decorator.h"
#include "kernels/selftest/selftest.h"

namespace lava {
namespace {

const DeviceModule* load() {
  void* library = dlopen(LAVA_CUDA_MODULE, RTLD_NOW | RTLD_LOCAL);
  if (!library) ADD_FAILURE() << dlerror();
  const auto entry = library ? reinterpret_cast<const DeviceModule* (*)()>(dlsym(library, module_entry)) : nullptr;
  return entry ? entry() : nullptr;
}

bool driver_installed() { return dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != nullptr; }

TEST(CudaModule, LoadsAndTellsItsDevices) {
  const DeviceModule* module = load();
  ASSERT_NE(module, nullptr);
  EXPECT_EQ(module->abi, module_abi);
  EXPECT_STREQ(module->backend, "cuda");
  const auto devices = module->list();
  ASSERT_TRUE(devices) << devices.error().message();
  EXPECT_TRUE(devices->empty() || driver_installed());
  const auto beyond = module->open(static_cast<int>(devices->size()));
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().kind, Error::Kind::not_found);
}

// The selftest compares right after an op.
class Finishing : public DeviceDecorator {
 public:
  using DeviceDecorator::DeviceDecorator;
  void execute(const OpCall& call) override {
    inner_.execute(call);
    EXPECT_TRUE(recording_ || inner_.finish());
  }
  std::unique_ptr<Recording> record(const std::function<void()>& body) override {
    recording_ = true;
    auto inner = inner_.record(body);
    recording_ = false;
    return std::make_unique<Replay>(inner_, std::move(inner));
  }

 private:
  struct Replay : Recording {
    Replay(Device& d, std::unique_ptr<Recording> r) : device(d), inner(std::move(r)) {}
    void replay() override {
      inner->replay();
      EXPECT_TRUE(device.finish());
    }
    Device& device;
    std::unique_ptr<Recording> inner;
  };
  bool recording_ = false;
};

TEST(CudaModule, EveryOpEqualsItsReference) {
  const DeviceModule* module = load();
  ASSERT_NE(module, nullptr);
  const auto devices = module->list();
  ASSERT_TRUE(devices) << devices.error().message();
  if (devices->empty()) GTEST_SKIP() << "no NVIDIA card here";
  auto device = module->open(0);
  ASSERT_TRUE(device) << device.error().message();
  Finishing finishing(**device);
  for (const SelftestRow& row : selftest(finishing)) EXPECT_TRUE(row.ok) << row.op << ": " << row.name << ": " << row.nmse << " > " << row.limit;
}

}  // namespace
}  // namespace lava
