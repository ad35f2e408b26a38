// Packed weights on disk: never trusted when damaged, never in the way of others.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/engine/core/weight_packs.h"

namespace lava::test {
namespace {

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

TEST_F(WeightPacks, ClearingLeavesAnOpenModelAtWork) {
  open(model_);
  put_bytes(weights_ / "mine.txt", "not a pack");
  {
    AssistantOptions options;
    options.model = model_, options.packs = keep_all;
    const auto assistant = Assistant::load(*device_, options);
    ASSERT_TRUE(assistant);
    (*assistant)->wait_for_packs();
    ASSERT_GT((*assistant)->report().pack_bytes, 0u);
    const WeightPackStore store(weights_);
    const auto lock = store.lock();
    ASSERT_TRUE(lock);
    store.clear();
    EXPECT_TRUE(ending(".pack").empty() && ending(".source").empty() && ending(".checked").empty());
    EXPECT_TRUE(fs::exists(weights_ / "mine.txt"));
    Request request;
    request.raw_prompt = "a b";
    const auto probe = (*assistant)->probe(request, 0);
    ASSERT_TRUE(probe);
    EXPECT_EQ(probe->logits, without_);
  }
  expect_made_anew("cleared");
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

}  // namespace
}  // namespace lava::test
