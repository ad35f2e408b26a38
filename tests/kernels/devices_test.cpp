// Finding and choosing devices: modules that tests bring (tests/support/module).
#include "kernels/devices.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "kernels/ops.h"

namespace lava {
namespace {

class DeviceChoices : public ::testing::Test {
 protected:
  void SetUp() override { modules("works"); }
  void TearDown() override {
    ::unsetenv("LAVASCOPE_MODULES");
    ::unsetenv("LAVA_FAKE_DEVICES");
  }
  static void modules(const std::string& folder) { ::setenv("LAVASCOPE_MODULES", (std::string(LAVA_BINARY_DIR "/tests/modules/") + folder).c_str(), 1); }
  static void fake(const char* devices) { ::setenv("LAVA_FAKE_DEVICES", devices, 1); }
  static Result<OpenedDevice> open(const char* text) { return open_device(*parse_device(text), {.threads = 1, .pin = false}); }
  // Sentence, cause and remedy are there.
  static void expect_refused(const char* text, const char* what) {
    const auto opened = open(text);
    ASSERT_FALSE(opened) << text;
    EXPECT_NE(opened.error().what.find(what), std::string::npos) << opened.error().message();
    EXPECT_FALSE(opened.error().cause.empty()) << opened.error().message();
  }
};

TEST_F(DeviceChoices, ChoicesAreReadAndWritten) {
  for (const char* text : {"auto", "cpu", "cuda", "vulkan", "cuda:0", "vulkan:12"}) {
    const auto choice = parse_device(text);
    ASSERT_TRUE(choice) << text;
    EXPECT_EQ(device_text(*choice), text);
  }
  for (const char* text : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "cuda: 1", "cpu:0", "auto:1", "CUDA", ":", "cuda:99999999999999999999", "../cuda"}) {
    const auto choice = parse_device(text);
    ASSERT_FALSE(choice) << text;
    EXPECT_EQ(choice.error().kind, Error::Kind::invalid);
  }
}

TEST_F(DeviceChoices, AutoTakesTheFirstCard) {
  const auto opened = open("auto");
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->devices().main.info().name, "Card of cuda");  // not the software that stands before it
  EXPECT_EQ(opened->devices().cpu.info().backend, "cpu");
  EXPECT_EQ(opened->note, "");
}

TEST_F(DeviceChoices, AutoIsTheProcessorWhereNothingElseIs) {
  for (const char* devices : {"none", "software"}) {
    fake(devices);
    const auto opened = open("auto");
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->devices().main.info().backend, "cpu");
    EXPECT_EQ(opened->note, "") << devices;
  }
  modules("nowhere");
  const auto opened = open("auto");
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->devices().main.info().backend, "cpu");
  EXPECT_EQ(opened->note, "");
}

TEST_F(DeviceChoices, AutoTellsWhyADeviceIsLeftUnused) {
  for (const char* devices : {"error", "unopened"}) {
    fake(devices);
    const auto opened = open("auto");
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->devices().main.info().backend, "cpu");
    EXPECT_NE(opened->note.find("The processor computes instead."), std::string::npos) << opened->note;
  }
  fake("");
  modules("old");
  const auto opened = open("auto");
  ASSERT_TRUE(opened);
  EXPECT_NE(opened->note.find("another version of the program"), std::string::npos) << opened->note;
}

TEST_F(DeviceChoices, AChosenOneIsOpenedOrRefusedWithASentence) {
  const auto second = open("vulkan:1"), best = open("vulkan"), software = open("vulkan:0");
  ASSERT_TRUE(second && best && software);
  EXPECT_EQ(second->devices().main.info().name, "Card of vulkan");
  EXPECT_EQ(best->devices().main.info().name, "Card of vulkan");
  EXPECT_EQ(software->devices().main.info().name, "Software of vulkan");
  expect_refused("vulkan:2", "There is no such Vulkan device");
  fake("software");
  EXPECT_EQ(open("cuda")->devices().main.info().backend, "cuda");  // asked for by name it may be software
  fake("none");
  expect_refused("cuda", "There is no CUDA device");
  fake("error");
  expect_refused("cuda", "The driver does not answer");
  fake("unopened");
  expect_refused("cuda", "The card is full");
  fake("");
  modules("old");
  expect_refused("cuda", "The CUDA part of the program cannot be used");
  expect_refused("vulkan", "The Vulkan part of the program is not installed");
  EXPECT_EQ(open("cpu")->module, nullptr);
}

TEST_F(DeviceChoices, TheListNamesEverything) {
  std::vector<std::string> choices;
  for (const ListedDevice& one : list_devices().devices) choices.push_back(one.choice);
  EXPECT_EQ(choices, (std::vector<std::string>{"cuda:0", "cuda:1", "vulkan:0", "vulkan:1", "cpu"}));
  modules("old");
  const DeviceList old = list_devices();
  ASSERT_EQ(old.devices.size(), 1u);
  EXPECT_EQ(old.problems.size(), 1u);
}

TEST_F(DeviceChoices, AFileThatIsNoModuleIsRefused) {
  const std::filesystem::path folder = std::filesystem::path(LAVA_BINARY_DIR) / "tests/modules/broken";
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(LAVA_SOURCE_DIR "/LICENSE", folder / "lavascope-cuda.so", std::filesystem::copy_options::overwrite_existing);
  modules("broken");
  expect_refused("cuda", "The CUDA part of the program cannot be used");
}

// Through the module's functions: the same numbers as on the processor.
TEST_F(DeviceChoices, OpsOfAModuleRun) {
  const auto opened = open("cuda");
  ASSERT_TRUE(opened);
  Device& device = opened->devices().main;
  const std::vector<float> values{1, 2, 3, 4};
  auto memory = device.allocate(sizeof(float) * 8, BufferUse::own);
  ASSERT_TRUE(memory);
  device.upload((*memory)->data(), std::as_bytes(std::span(values)));
  Arena arena;
  lava::Run run{device, arena};
  const Tensor x(DType::f32, {1, 4}, (*memory)->data());
  ops::add(run, x, x, x);
  std::vector<float> got(4);
  device.download(std::as_writable_bytes(std::span(got)), x.data);
  ASSERT_TRUE(device.finish());
  EXPECT_EQ(got, (std::vector<float>{2, 4, 6, 8}));
}

}  // namespace
}  // namespace lava
