// Packed weights on disk: bytes of their matrices that changed are found before they are used, and what nobody touched is not read again.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "tests/engine/core/weight_packs.h"

namespace {

// A disk that keeps one byte wrong of what is written to packs.
std::atomic<bool> disk_is_bad{false};

}  // namespace

// In the place of the C library's for this whole program.
extern "C" ssize_t write(int descriptor, const void* bytes, size_t count) {
  const ssize_t written = ::syscall(SYS_write, descriptor, bytes, count);
  if (disk_is_bad && written > 100'000) {
    const off_t at = ::lseek(descriptor, 0, SEEK_CUR) - 5000;
    const char wrong = static_cast<char>(static_cast<const char*>(bytes)[written - 5000] ^ 1);
    if (::pwrite(descriptor, &wrong, 1, at) != 1) return -1;
  }
  return written;
}

namespace lava::test {
namespace {

class CheckedPacks : public WeightPacks {
 protected:
  // The places of some bytes in matrices: the first of all, one in the middle, the last.
  static std::vector<size_t> places(const std::string& pack) {
    const auto header = io::parse_pack(std::as_bytes(std::span(pack)), "pack");
    EXPECT_TRUE(header);
    const io::PackedEntry& middle = header->entries[header->entries.size() / 2];
    return {header->entries.front().offset, middle.offset + middle.bytes / 2, header->entries.back().offset + header->entries.back().bytes - 1};
  }
  // In the file as it lies there, at a time that its system can tell from that of the last change.
  static void flip(const fs::path& file, size_t at) {
    std::this_thread::sleep_for(20ms);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    const auto place = static_cast<std::streamoff>(at);
    const char byte = static_cast<char>(stream.seekg(place).get() ^ 1);
    stream.seekp(place).put(byte);
  }
  bool is_noted(const fs::path& file) const { return find_check(file) == io::MappedFile::stamp_of(file); }
  // Another file of the same content and times.
  static void restore_copy(const fs::path& file) {
    const auto time = fs::last_write_time(file);
    const std::string whole = bytes_of(file);
    fs::remove(file);
    put_bytes(file, whole);
    fs::last_write_time(file, time);
  }
  void several_at_once() {
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        static_cast<void>(device_.release());  // its threads stayed behind
        device_ = std::move(*make_cpu_device({.threads = 1, .pin = false}));
        ::_exit(open(model_).logits == without_ ? 0 : 1);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    }
  }
};

TEST_F(CheckedPacks, AFlippedByteOfAMatrixIsFound) {
  open(model_);
  const fs::path file = pack();
  for (const size_t at : places(bytes_of(file))) {
    flip(file, at);
    expect_made_anew("flipped");
    EXPECT_TRUE(is_noted(file));
  }
}

TEST_F(CheckedPacks, AFlippedByteIsFoundThoughTheTimeWasPutBack) {
  open(model_);
  const fs::path file = pack();
  const auto time = fs::last_write_time(file);
  flip(file, places(bytes_of(file))[1]);
  fs::last_write_time(file, time);
  ASSERT_EQ(find_check(file)->identity, *io::MappedFile::identity_of(file));
  expect_made_anew("flipped, with the time of before");
}

TEST_F(CheckedPacks, ACopyThatWasPutBackIsCheckedOnceAndUsed) {
  open(model_);
  const fs::path file = pack();
  restore_copy(file);
  EXPECT_FALSE(is_noted(file));
  const auto identity = io::MappedFile::identity_of(file);
  const Opened first = open(model_);
  EXPECT_GT(first.pack_bytes, 0u);
  EXPECT_EQ(first.logits, without_);
  EXPECT_EQ(io::MappedFile::identity_of(file), identity);  // not made anew
  EXPECT_TRUE(is_noted(file));
}

// A wrong byte under a right note stays unseen: nothing of the matrices is read beforehand.
TEST_F(CheckedPacks, WhatNobodyTouchedIsNotReadAgain) {
  open(model_);
  const fs::path file = pack();
  flip(file, places(bytes_of(file))[1]);
  ASSERT_TRUE(write_check(file, *io::MappedFile::stamp_of(file)));
  const Opened opened = open(model_);
  EXPECT_GT(opened.pack_bytes, 0u);
  EXPECT_NE(opened.logits, without_);
}

TEST_F(CheckedPacks, UsingAPackLeavesItsNoteTrue) {
  open(model_);
  const fs::path file = pack();
  const auto stamp = io::MappedFile::stamp_of(file);
  const auto used = fs::last_write_time(check_path(file));
  std::this_thread::sleep_for(20ms);
  open(model_);
  EXPECT_EQ(io::MappedFile::stamp_of(file), stamp);
  EXPECT_TRUE(is_noted(file));
  EXPECT_GT(fs::last_write_time(check_path(file)), used);
}

TEST_F(CheckedPacks, ADamagedNoteIsMadeAnewAndThePackStays) {
  open(model_);
  const fs::path file = pack(), note = check_path(file);
  const std::string whole = bytes_of(note);
  for (size_t at = 0; at < whole.size(); at += 5) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    put_bytes(note, damaged);
    EXPECT_FALSE(find_check(file)) << at;
    put_bytes(note, whole.substr(0, at));
    EXPECT_FALSE(find_check(file)) << at;
  }
  const auto identity = io::MappedFile::identity_of(file);
  EXPECT_GT(open(model_).pack_bytes, 0u);
  EXPECT_EQ(io::MappedFile::identity_of(file), identity);
  EXPECT_TRUE(is_noted(file));
}

TEST_F(CheckedPacks, NotesGoWithTheirPacks) {
  const fs::path other = folder_ / "other.gguf";
  write_model(other, 2);
  open(model_), open(other);
  ASSERT_EQ(ending(".checked").size(), 2u);
  put_bytes(weights_ / "0123.checked", "of no pack");
  fs::remove(other);
  open(model_);
  EXPECT_EQ(ending(".checked"), std::vector<fs::path>{check_path(pack())});
}

// The bytes are read from where they were written to before the pack gets its name.
TEST_F(CheckedPacks, ADiskThatKeepsOtherBytesIsToldAndNothingRemains) {
  disk_is_bad = true;
  const Opened opened = open(model_);
  disk_is_bad = false;
  EXPECT_EQ(opened.logits, without_);
  EXPECT_NE(opened.notice.find("not those that were written"), std::string::npos) << opened.notice;
  EXPECT_TRUE(ending(".pack").empty());
  EXPECT_TRUE(ending(".part").empty());
  expect_made_anew("afterwards");
}

TEST_F(CheckedPacks, AFullDiskKeepsThePackThatCannotBeNoted) {
  open(model_);
  const fs::path file = pack();
  restore_copy(file);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit little = old;
  little.rlim_cur = 50;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const Opened opened = open(model_);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_GT(opened.pack_bytes, 0u);
  EXPECT_EQ(opened.logits, without_);
  EXPECT_NE(opened.notice.find("larger than this disk"), std::string::npos) << opened.notice;
  EXPECT_FALSE(is_noted(file));
  EXPECT_GT(open(model_).pack_bytes, 0u);
  EXPECT_TRUE(is_noted(file));
}

TEST_F(CheckedPacks, SeveralProgramsAtOnceCheckACopyAndADamagedPack) {
  open(model_);
  const fs::path file = pack();
  restore_copy(file);
  const auto identity = io::MappedFile::identity_of(file);
  several_at_once();
  EXPECT_EQ(io::MappedFile::identity_of(file), identity);
  open(model_);
  EXPECT_TRUE(is_noted(file));
  flip(file, places(bytes_of(file))[2]);
  several_at_once();
  open(model_);
  const Opened opened = open(model_);
  EXPECT_GT(opened.pack_bytes, 0u);
  EXPECT_EQ(opened.logits, without_);
  EXPECT_TRUE(is_noted(file));
  EXPECT_TRUE(ending(".part").empty());
}

}  // namespace
}  // namespace lava::test
