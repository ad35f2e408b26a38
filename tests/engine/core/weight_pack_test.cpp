// Packed weights on disk: found again, never trusted, never in the way.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "engine/core/assistant.h"
#include "engine/core/user_folders.h"
#include "engine/core/weight_pack_keeper.h"
#include "engine/core/weight_pack_notes.h"
#include "engine/io/gguf.h"
#include "engine/synth/write.h"
#include "tests/support/engine/files.h"

namespace lava::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A variable of the environment for as long as the object lives.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() {
    if (old_) ::setenv(name_, old_->c_str(), 1);
    else ::unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

synth::TextShape tiny_shape() {
  synth::TextShape shape;
  TextConfig& c = shape.config;
  c.family = "llama";
  c.width = 256, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 64, c.feed_forward = 512, c.vocabulary = 700, c.context = 512;
  return shape;
}

// Written an hour ago, as a file that was downloaded and is opened later.
void write_model(const fs::path& path, uint64_t seed = 1, const char* format = "q4_k", std::chrono::seconds age = 1h) {
  const synth::Order order{tiny_shape(), "Tiny", *synth::find_format(format), seed};
  ASSERT_TRUE(synth::write_model(order, path));
  fs::last_write_time(path, fs::file_time_type::clock::now() - age);
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
void put_bytes(const fs::path& path, std::string_view bytes) { std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size())); }

class WeightPacks : public ::testing::Test {
 protected:
  void SetUp() override {
    auto device = make_cpu_device({.threads = 2, .pin = false});
    ASSERT_TRUE(device);
    device_ = std::move(*device);
    model_ = folder_ / "tiny.gguf";
    write_model(model_);
    without_ = logits_without(model_);
    ASSERT_FALSE(without_.empty());
  }

  struct Opened {
    size_t pack_bytes = 0, weight_bytes = 0;
    std::vector<float> logits;
    std::string notice;
  };
  // Opens the model, waits for its packs and asks it something.
  Opened open(const fs::path& model, const WeightCacheLimits& limits = keep_all) {
    AssistantOptions options;
    options.model = model, options.packs = limits;
    auto assistant = Assistant::load(*device_, options);
    EXPECT_TRUE(assistant) << assistant.error().message();
    if (!assistant) return {};
    (*assistant)->wait_for_packs();
    Request request;
    request.raw_prompt = "a b";
    const auto probe = (*assistant)->probe(request, 0);
    EXPECT_TRUE(probe) << probe.error().message();
    return {(*assistant)->report().pack_bytes, (*assistant)->report().weight_bytes, probe ? probe->logits : std::vector<float>(), (*assistant)->notice()};
  }
  std::vector<float> logits_without(const fs::path& model) {
    const Environment off("LAVASCOPE_CACHE", "off");
    return open(model).logits;
  }
  std::vector<fs::path> ending(std::string_view ending) const {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(weights_, error); !error && entry != fs::directory_iterator(); entry.increment(error))
      if (entry->path().native().ends_with(ending)) found.push_back(entry->path());
    return found;
  }
  fs::path pack() const {
    const auto packs = ending(".pack");
    EXPECT_EQ(packs.size(), 1u);
    return packs.empty() ? fs::path() : packs.front();
  }
  // The model answers right, and what lay on the disk was not used but made anew.
  void expect_made_anew(const char* what) {
    const Opened opened = open(model_);
    EXPECT_EQ(opened.pack_bytes, 0u) << what;
    EXPECT_EQ(opened.logits, without_) << what;
    EXPECT_EQ(opened.notice, "") << what;
    const Opened again = open(model_);
    EXPECT_GT(again.pack_bytes, 0u) << what;
    EXPECT_EQ(again.logits, without_) << what;
  }

  static constexpr WeightCacheLimits keep_all{.least_pack = 1, .least_free = 0, .least_free_share = 0};
  TemporaryFolder folder_;
  const Environment cache_{"LAVASCOPE_CACHE", folder_ / "cache"};
  const fs::path weights_ = folder_ / "cache/weights";
  std::unique_ptr<Device> device_;
  fs::path model_;
  std::vector<float> without_;
};

TEST_F(WeightPacks, AreMadeOnceAndMappedLater) {
  const Opened first = open(model_);
  EXPECT_EQ(first.pack_bytes, 0u);
  const fs::path made = pack();
  const auto identity = io::MappedFile::identity_of(made);
  const Opened second = open(model_);
  EXPECT_EQ(second.pack_bytes, fs::file_size(made));
  EXPECT_EQ(second.weight_bytes, first.weight_bytes);
  EXPECT_EQ(io::MappedFile::identity_of(made)->inode, identity->inode);  // not written again
  EXPECT_EQ(first.logits, without_);
  EXPECT_EQ(second.logits, without_);
  EXPECT_TRUE(ending(".part").empty());
}

TEST_F(WeightPacks, EveryFormatIsFoundAgainBitForBit) {
  for (const char* format : {"q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q4_k", "q5_k", "q6_k", "f16"}) {
    const fs::path model = folder_ / (std::string(format) + ".gguf");
    write_model(model, 3, format);
    const auto without = logits_without(model);
    open(model);
    const Opened mapped = open(model);
    EXPECT_EQ(mapped.pack_bytes > 0, format != std::string("f16")) << format;  // which is used in place
    EXPECT_EQ(mapped.logits, without) << format;
  }
}

TEST_F(WeightPacks, AMovedOrCopiedModelIsKnownByItsContent) {
  open(model_);
  const fs::path moved = folder_ / "elsewhere.gguf", copied = folder_ / "copy.gguf";
  fs::rename(model_, moved);
  EXPECT_GT(open(moved).pack_bytes, 0u);
  fs::copy_file(moved, copied);
  fs::last_write_time(copied, fs::file_time_type::clock::now() - 2h);
  EXPECT_EQ(open(copied).pack_bytes, 0u);  // not read on the way to the first answer
  const auto identity = io::MappedFile::identity_of(pack());
  EXPECT_GT(open(copied).pack_bytes, 0u);
  EXPECT_EQ(io::MappedFile::identity_of(pack())->inode, identity->inode);
  EXPECT_EQ(ending(".source").size(), 2u);
}

TEST_F(WeightPacks, AChangedSourceIsPackedAnew) {
  open(model_);
  write_model(model_, 2, "q4_k", 1min);  // the same names and sizes, other numbers
  const auto without = logits_without(model_);
  ASSERT_NE(without, without_);
  const Opened opened = open(model_);
  EXPECT_EQ(opened.pack_bytes, 0u);
  EXPECT_EQ(opened.logits, without);
  const Opened again = open(model_);
  EXPECT_GT(again.pack_bytes, 0u);
  EXPECT_EQ(again.logits, without);
  EXPECT_EQ(ending(".pack").size(), 1u);  // that of the old content has gone
}

// Its next change may carry the same time.
TEST_F(WeightPacks, AFileThatWasJustWrittenIsNotKeptYet) {
  write_model(model_, 1, "q4_k", 0s);
  EXPECT_EQ(open(model_).notice, "");
  EXPECT_TRUE(ending(".pack").empty());
}

TEST_F(WeightPacks, DamagedPacksAreMadeAnew) {
  open(model_);
  const fs::path file = pack();
  const std::string whole = bytes_of(file);
  for (const size_t size : {size_t{1}, size_t{7}, size_t{100}, size_t{143}, size_t{144}, size_t{1000}, size_t{2} << 20, whole.size() / 2, whole.size() - 1}) {
    fs::remove(file);  // a pack that is mapped somewhere is never cut
    put_bytes(file, whole.substr(0, size));
    expect_made_anew("truncated");
  }
  put_bytes(file, whole + "x");
  expect_made_anew("longer");
  for (const size_t at : {0, 8, 12, 16, 24, 32, 40, 72, 143, 144, 160, 200, 230}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    fs::remove(file);
    put_bytes(file, damaged);
    expect_made_anew("flipped");
  }
}

TEST_F(WeightPacks, DamagedNotesAreMadeAnew) {
  open(model_);
  const fs::path note = ending(".source").front();
  const std::string whole = bytes_of(note);
  ASSERT_TRUE(read_note(note));
  for (size_t at = 0; at < whole.size(); at += 5) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    put_bytes(note, damaged);
    EXPECT_FALSE(read_note(note)) << at;
    put_bytes(note, whole.substr(0, at));
    EXPECT_FALSE(read_note(note)) << at;
  }
  put_bytes(note, "");
  expect_made_anew("note");
}

TEST_F(WeightPacks, OffSwitchesThemOff) {
  const Environment off("LAVASCOPE_CACHE", "off");
  EXPECT_TRUE(weight_pack_folder().empty());
  EXPECT_EQ(open(model_).notice, "");
  EXPECT_FALSE(fs::exists(weights_));
}

TEST_F(WeightPacks, LieWhereCachesOfThisUserLie) {
  ::unsetenv("LAVASCOPE_CACHE");
  const Environment home("HOME", "/home/somebody");
  {
    const Environment xdg("XDG_CACHE_HOME", "/var/cache/somebody");
    EXPECT_EQ(weight_pack_folder(), "/var/cache/somebody/lavascope/weights");
  }
  const Environment none("XDG_CACHE_HOME", "");
  EXPECT_EQ(weight_pack_folder(), "/home/somebody/.cache/lavascope/weights");
}

TEST_F(WeightPacks, SmallModelsAreNotKept) {
  EXPECT_EQ(open(model_, {}).notice, "");
  EXPECT_FALSE(fs::exists(weights_));
}

TEST_F(WeightPacks, AFolderThatCannotBeWrittenIsToldOnce) {
  put_bytes(folder_ / "cache", "a file in the way");
  const Opened opened = open(model_);
  EXPECT_EQ(opened.logits, without_);
  EXPECT_NE(opened.notice.find("cannot be kept on disk"), std::string::npos) << opened.notice;
  EXPECT_NE(opened.notice.find("LAVASCOPE_CACHE"), std::string::npos) << opened.notice;
}

TEST_F(WeightPacks, AFullDiskIsToldAndLeavesNothing) {
  WeightCacheLimits limits = keep_all;
  limits.least_free = uint64_t{1} << 60;
  const Opened reserved = open(model_, limits);
  EXPECT_EQ(reserved.logits, without_);
  EXPECT_NE(reserved.notice.find("not enough room"), std::string::npos) << reserved.notice;

  // The disk says no in the middle of the file.
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit little = old;
  little.rlim_cur = 1'000'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const Opened opened = open(model_);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(opened.logits, without_);
  EXPECT_NE(opened.notice.find("larger than this disk"), std::string::npos) << opened.notice;
  EXPECT_TRUE(ending(".pack").empty());
  EXPECT_TRUE(ending(".part").empty());
  EXPECT_GT((open(model_), open(model_)).pack_bytes, 0u);
}

TEST_F(WeightPacks, TheProgramThatComesSecondGoesOnWithoutWriting) {
  const WeightPackStore store(weights_, keep_all);
  {
    const auto other = store.lock();
    ASSERT_TRUE(other);
    const Opened opened = open(model_);
    EXPECT_EQ(opened.logits, without_);
    EXPECT_EQ(opened.notice, "");
    EXPECT_TRUE(ending(".pack").empty());
  }
  expect_made_anew("afterwards");
}

TEST_F(WeightPacks, SeveralProgramsAtOnceMakeOnePack) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      static_cast<void>(device_.release());  // its threads stayed behind
      device_ = std::move(*make_cpu_device({.threads = 1, .pin = false}));
      const bool right = open(model_).logits == without_ && open(model_).logits == without_;
      ::_exit(right ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  open(model_);
  EXPECT_GT(open(model_).pack_bytes, 0u);
  EXPECT_EQ(ending(".pack").size(), 1u);
  EXPECT_TRUE(ending(".part").empty());
}

TEST_F(WeightPacks, ClosingTheModelStopsTheWriting) {
  for (const auto pause : {0us, 300us, 1000us, 3000us, 10000us}) {
    AssistantOptions options;
    options.model = model_, options.packs = keep_all;
    const auto start = std::chrono::steady_clock::now();
    {
      auto assistant = Assistant::load(*device_, options);
      ASSERT_TRUE(assistant);
      std::this_thread::sleep_for(pause);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
    EXPECT_TRUE(ending(".part").empty());
    for (const fs::path& whole : ending(".pack")) fs::remove(whole);
  }
  expect_made_anew("afterwards");
}

TEST_F(WeightPacks, WhatADeadProgramLeftGoesAway) {
  fs::create_directories(weights_);
  put_bytes(weights_ / "0123.pack.part", "half");
  put_bytes(weights_ / "0123.pack", "a pack of no model");
  put_bytes(weights_ / "0123.source", "a note about nothing");
  put_bytes(weights_ / "notes.txt", "somebody's own");
  open(model_);
  EXPECT_EQ(ending(".pack").size(), 1u);
  EXPECT_EQ(ending(".source").size(), 1u);
  EXPECT_TRUE(ending(".part").empty());
  EXPECT_TRUE(fs::exists(weights_ / "notes.txt"));
}

TEST_F(WeightPacks, GoWithTheirModel) {
  const fs::path other = folder_ / "other.gguf";
  write_model(other, 2);
  open(model_), open(other);
  ASSERT_EQ(ending(".pack").size(), 2u);
  fs::remove(other);
  open(model_, {});  // any opening looks, also one that keeps nothing itself
  EXPECT_EQ(ending(".pack").size(), 1u);
  EXPECT_GT(open(model_).pack_bytes, 0u);
}

TEST_F(WeightPacks, ThoseUsedLongestAgoMakeRoom) {
  std::vector<fs::path> models;
  for (uint64_t i = 0; i < 3; ++i) models.push_back(folder_ / ("m" + std::to_string(i) + ".gguf")), write_model(models.back(), 10 + i);
  WeightCacheLimits limits = keep_all;
  open(models[0]), open(models[1]);
  limits.most_total = 2 * fs::file_size(ending(".pack").front()) + 1000;
  for (const fs::path& one : ending(".pack")) fs::last_write_time(one, fs::file_time_type::clock::now() - 1h);
  EXPECT_GT(open(models[0], limits).pack_bytes, 0u);  // used now
  open(models[2], limits);
  EXPECT_EQ(ending(".pack").size(), 2u);
  EXPECT_GT(open(models[0], limits).pack_bytes, 0u);
  EXPECT_GT(open(models[2], limits).pack_bytes, 0u);
  EXPECT_EQ(open(models[1], limits).pack_bytes, 0u);
}

TEST_F(WeightPacks, APackStaysWholeForThoseWhoUseIt) {
  open(model_);
  AssistantOptions options;
  options.model = model_, options.packs = keep_all;
  auto assistant = Assistant::load(*device_, options);
  ASSERT_TRUE(assistant);
  (*assistant)->wait_for_packs();
  ASSERT_GT((*assistant)->report().pack_bytes, 0u);
  fs::remove_all(weights_);
  Request request;
  request.raw_prompt = "a b";
  const auto probe = (*assistant)->probe(request, 0);
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->logits, without_);
}

// A projector file beside a model has a pack of its own.
TEST_F(WeightPacks, TowersHaveTheirOwn) {
  synth::VisionShape shape;
  VitConfig& c = shape.tower;
  c.kind = "clip", c.width = 256, c.mlp = 512, c.layers = 2, c.heads = 4, c.image = 56, c.patch = 14;
  c.class_row = c.pre_norm = true, c.drop_first = true;
  shape.text_width = 256;
  const fs::path file = folder_ / "mmproj-tiny.gguf";
  ASSERT_TRUE(synth::write_model({shape, "Tiny", *synth::find_format("q8_0"), 1}, file));
  fs::last_write_time(file, fs::file_time_type::clock::now() - 1h);
  const Opened first = open(model_);
  EXPECT_EQ(ending(".pack").size(), 2u);
  const Opened second = open(model_);
  uint64_t all = 0;
  for (const fs::path& one : ending(".pack")) all += fs::file_size(one);
  EXPECT_EQ(second.pack_bytes, all);
  EXPECT_EQ(second.weight_bytes, first.weight_bytes);
  EXPECT_EQ(second.logits, first.logits);
}

}  // namespace
}  // namespace lava::test
