// What auto takes: cards that tests bring (tests/support/module) pass their check, compute wrong, crash or hang.
#include "engine/devices/trusted_device.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "engine/devices/verdicts.h"
#include "tests/support/engine/files.h"

namespace lava {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class TrustedDevices : public ::testing::Test {
 protected:
  void SetUp() override {
    set("LAVASCOPE_MODULES", LAVA_BINARY_DIR "/tests/modules/works");
    set("LAVA_FAKE_LOG", log_);
    rules_.program = LAVA_ENGINE_PROGRAM, rules_.verdicts = folder_ / "devices";
    rules_.on_wait = [this](const char* phrase) { told_.emplace_back(phrase); };
  }
  void TearDown() override {
    for (const char* variable : {"LAVASCOPE_MODULES", "LAVA_FAKE_LOG", "LAVA_FAKE_CARD", "LAVA_FAKE_DEVICES", "LAVA_FAKE_DRIVER"}) ::unsetenv(variable);
  }
  static void set(const char* variable, const std::string& value) { ::setenv(variable, value.c_str(), 1); }

  struct Opened {
    std::string name, note;
    int openings = 0;  // of cards, by the check or by us
  };
  Opened open(const char* choice = "auto") {
    fs::remove(log_);
    const auto opened = open_trusted_device(*parse_device(choice), {.threads = 1, .pin = false}, rules_);
    EXPECT_TRUE(opened) << opened.error().message();
    if (!opened) return {};
    const DeviceInfo& info = opened->devices().main.info();
    return {info.backend == "cpu" ? "cpu" : info.name, opened->note, openings()};
  }
  int openings() const {
    std::ifstream file(log_);
    return static_cast<int>(std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
  }
  std::vector<fs::path> verdicts() const {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(rules_.verdicts, error); !error && entry != fs::directory_iterator(); entry.increment(error))
      if (entry->path().extension() == ".verdict") found.push_back(entry->path());
    return found;
  }
  int checks_told() const { return static_cast<int>(std::count(told_.begin(), told_.end(), "Checking the graphics card once")); }
  static bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

  test::TemporaryFolder folder_;
  const fs::path log_ = folder_ / "log";
  TrustRules rules_;
  std::vector<std::string> told_;
};

TEST_F(TrustedDevices, ACardThatPassesIsCheckedOnce) {
  const Opened first = open();
  EXPECT_EQ(first.name, "Card of cuda");
  EXPECT_EQ(first.note, "");
  EXPECT_EQ(first.openings, 2);  // by the child, then by us
  EXPECT_EQ(checks_told(), 1);
  const Opened second = open();
  EXPECT_EQ(second.name, "Card of cuda");
  EXPECT_EQ(second.openings, 1);
  EXPECT_EQ(checks_told(), 1);
  EXPECT_EQ(verdicts().size(), 1u);
}

TEST_F(TrustedDevices, WhatIsForgottenIsCheckedAnew) {
  open();
  std::ofstream(rules_.verdicts / "mine.txt") << "no verdict";
  forget_verdicts(rules_.verdicts);
  EXPECT_TRUE(verdicts().empty());
  EXPECT_TRUE(fs::exists(rules_.verdicts / "mine.txt"));
  EXPECT_EQ(open().name, "Card of cuda");
  EXPECT_EQ(checks_told(), 2);
  forget_verdicts("/no/such/folder");
}

TEST_F(TrustedDevices, OneThatComputesWrongIsPassedOverAndRemembered) {
  set("LAVA_FAKE_CARD", "cuda=glu");
  for (const int openings : {3, 1}) {
    const Opened opened = open();
    EXPECT_EQ(opened.name, "Card of vulkan");
    EXPECT_TRUE(has(opened.note, "Card of cuda (cuda:1) computes wrong: glu [") && has(opened.note, "by name")) << opened.note;
    EXPECT_EQ(opened.openings, openings);
  }
  set("LAVA_FAKE_CARD", "cuda=glu,vulkan=linear");
  set("LAVA_FAKE_DRIVER", "2");
  for (const int openings : {2, 0}) {
    const Opened opened = open();
    EXPECT_EQ(opened.name, "cpu");
    EXPECT_TRUE(has(opened.note, "glu [") && has(opened.note, "linear [") && opened.note.ends_with(" The processor computes instead.")) << opened.note;
    EXPECT_EQ(opened.openings, openings);
  }
}

TEST_F(TrustedDevices, OneThatCrashesTakesOnlyItsCheck) {
  set("LAVA_FAKE_CARD", "cuda=crash,vulkan=crash");
  for (const int openings : {2, 0}) {
    const Opened opened = open();
    EXPECT_EQ(opened.name, "cpu");
    EXPECT_TRUE(has(opened.note, "Card of cuda (cuda:1) crashed while it was checked") && has(opened.note, "Card of vulkan (vulkan:1) crashed")) << opened.note;
    EXPECT_EQ(opened.openings, openings);
  }
}

TEST_F(TrustedDevices, OneThatHangsIsNotWaitedForTwice) {
  set("LAVA_FAKE_CARD", "cuda=hang,vulkan=hang");
  rules_.check_limit = 1s;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(has(open().note, "Card of cuda (cuda:1) did not answer for 1 seconds"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
  const Opened again = open();
  EXPECT_EQ(again.name, "cpu");
  EXPECT_EQ(again.openings, 0);
}

TEST_F(TrustedDevices, AnotherDriverIsCheckedAgain) {
  set("LAVA_FAKE_DRIVER", "1");
  set("LAVA_FAKE_CARD", "cuda=add");
  EXPECT_EQ(open().name, "Card of vulkan");
  ::unsetenv("LAVA_FAKE_CARD");
  EXPECT_EQ(open().name, "Card of vulkan");  // nobody looks again
  set("LAVA_FAKE_DRIVER", "2");
  const Opened opened = open();
  EXPECT_EQ(opened.name, "Card of cuda");
  EXPECT_EQ(opened.openings, 2);
}

TEST_F(TrustedDevices, AnotherModuleIsCheckedAgain) {
  const fs::path modules = folder_ / "modules", module = modules / "lavascope-cuda.so";
  fs::create_directories(modules);
  fs::copy_file(LAVA_BINARY_DIR "/tests/modules/works/lavascope-cuda.so", module);
  set("LAVASCOPE_MODULES", modules);
  EXPECT_EQ(open().openings, 2);
  EXPECT_EQ(open().openings, 1);
  // Not in place: this process has it mapped.
  fs::copy_file(module, modules / "new");
  std::ofstream(modules / "new", std::ios::app) << "built anew";
  fs::rename(modules / "new", module);
  EXPECT_EQ(open().openings, 2);
}

TEST_F(TrustedDevices, ADamagedVerdictIsIgnored) {
  open();
  const fs::path file = verdicts().at(0);
  std::string whole;
  std::getline(std::ifstream(file, std::ios::binary), whole, '\0');
  for (const size_t at : {size_t{0}, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::ofstream(file, std::ios::binary) << damaged;
    EXPECT_EQ(open().openings, 2) << at;
  }
  for (const size_t size : {size_t{40}, whole.size() - 1}) {
    std::ofstream(file, std::ios::binary) << whole.substr(0, size);
    EXPECT_EQ(open().openings, 2) << size;
  }
  EXPECT_EQ(open().openings, 1);
}

// It may have room the next time.
TEST_F(TrustedDevices, OneThatCannotBeOpenedIsNotRemembered) {
  set("LAVA_FAKE_DEVICES", "unopened");
  const Opened opened = open();
  EXPECT_EQ(opened.name, "cpu");
  EXPECT_TRUE(has(opened.note, "The card is full") && opened.note.ends_with("The processor computes instead.")) << opened.note;
  EXPECT_TRUE(verdicts().empty());
  ::unsetenv("LAVA_FAKE_DEVICES");
  EXPECT_EQ(open().name, "Card of cuda");
}

TEST_F(TrustedDevices, ADriverThatFailsWhenListingTakesOnlyTheChild) {
  for (const char* how : {"crash", "hang"}) {
    fs::remove_all(rules_.verdicts);
    set("LAVA_FAKE_DEVICES", how);
    rules_.list_limit = how == std::string("hang") ? 1000ms : 30s;
    const Opened opened = open();
    EXPECT_EQ(opened.name, "cpu");
    EXPECT_TRUE(has(opened.note, "A graphics driver") && has(opened.note, how == std::string("hang") ? "did not answer" : "crashed")) << opened.note;
    told_.clear();
    EXPECT_EQ(open().note, opened.note);  // asked once, until the computer starts again
    EXPECT_TRUE(told_.empty());
  }
}

TEST_F(TrustedDevices, WithoutACardAutoIsTheProcessorAndKeepsNothing) {
  for (const char* devices : {"none", "software"}) {
    set("LAVA_FAKE_DEVICES", devices);
    const Opened opened = open();
    EXPECT_EQ(opened.name, "cpu");
    EXPECT_EQ(opened.note, "");
    EXPECT_EQ(opened.openings, 0);
  }
  ::unsetenv("LAVA_FAKE_DEVICES");
  set("LAVASCOPE_MODULES", folder_ / "nowhere");
  EXPECT_EQ(open().name, "cpu");
  EXPECT_EQ(checks_told(), 0);
  EXPECT_FALSE(fs::exists(rules_.verdicts));
}

TEST_F(TrustedDevices, ABackendThatCannotBeUsedIsTold) {
  set("LAVA_FAKE_DEVICES", "error");
  const Opened opened = open();
  EXPECT_EQ(opened.name, "cpu");
  EXPECT_TRUE(has(opened.note, "The driver does not answer") && has(opened.note, "The processor computes instead.")) << opened.note;
}

TEST_F(TrustedDevices, ADeviceAskedForByNameIsTakenAsItIs) {
  set("LAVA_FAKE_CARD", "cuda=glu");
  const Opened opened = open("cuda");
  EXPECT_EQ(opened.name, "Card of cuda");
  EXPECT_EQ(opened.note, "");
  EXPECT_EQ(opened.openings, 1);
  EXPECT_TRUE(told_.empty());
}

TEST_F(TrustedDevices, WhereNothingCanBeCheckedAutoIsTheProcessor) {
  rules_.program = "";
  EXPECT_EQ(open().name, "cpu");
  rules_.program = folder_ / "no program";
  const Opened opened = open();
  EXPECT_EQ(opened.name, "cpu");
  EXPECT_TRUE(has(opened.note, "no program could be started")) << opened.note;
  EXPECT_TRUE(verdicts().empty());
}

TEST_F(TrustedDevices, VerdictsThatCannotBeKeptAreFoundAnew) {
  std::ofstream(folder_ / "file") << "in the way";
  for (const fs::path& folder : {fs::path(), folder_ / "file"}) {
    rules_.verdicts = folder;
    for (int i = 0; i < 2; ++i) {
      const Opened opened = open();
      EXPECT_EQ(opened.name, "Card of cuda");
      EXPECT_EQ(opened.openings, 2);
    }
  }
}

TEST_F(TrustedDevices, OfSeveralProgramsAtOnceOneChecks) {
  constexpr int programs = 3;
  std::vector<pid_t> children;
  for (int i = 0; i < programs; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto opened = open_trusted_device({}, {.threads = 1, .pin = false}, rules_);
      ::_exit(opened && opened->devices().main.info().name == "Card of cuda" ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_EQ(openings(), programs + 1);
}

}  // namespace
}  // namespace lava
