#include "engine/cli/bench_transfers.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "engine/io/mapped_file.h"

namespace lava::bench {
namespace {

constexpr size_t block_bytes = size_t{1} << 20;
constexpr double most_seconds = 1;

struct Block {
  const io::MappedFile* file;
  size_t offset, bytes;
};

}  // namespace

void UploadMeter::upload(std::byte* target, std::span<const std::byte> source) {
  const auto before = Clock::now();
  inner_.upload(target, source);
  const std::lock_guard lock(mutex_);
  if (!on_) return;
  if (bytes_ == 0) begin_ = before;
  bytes_ += static_cast<double>(source.size()), end_ = Clock::now(), waiting_ = true;
}

Result<void> UploadMeter::finish() {
  LAVA_CHECK_OK(inner_.finish());
  const std::lock_guard lock(mutex_);
  if (on_ && waiting_) end_ = Clock::now(), waiting_ = false;
  return {};
}

Result<double> read_rate(const std::vector<std::filesystem::path>& paths, int threads) {
  std::vector<io::MappedFile> files;
  for (const auto& path : paths) {
    LAVA_TRY(auto file, io::MappedFile::open(path));
    files.push_back(std::move(file));
  }
  std::vector<Block> blocks;
  for (const io::MappedFile& file : files)
    for (size_t at = 0; at < file.size(); at += block_bytes) blocks.push_back({&file, at, std::min(block_bytes, file.size() - at)});
  std::atomic<size_t> next = 0, done = 0;
  std::atomic<bool> failed = false;
  const auto start = std::chrono::steady_clock::now();
  const auto since = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  const auto read = [&] {
    std::vector<std::byte> target(block_bytes);
    for (size_t i = next++; i < blocks.size() && !failed && since() < most_seconds; i = next++) {
      if (!blocks[i].file->read(blocks[i].offset, std::span(target).first(blocks[i].bytes))) failed = true;
      else done += blocks[i].bytes;
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(read);
  read();
  for (std::thread& other : others) other.join();
  if (failed) return fail(Error::Kind::io, "The file cannot be read", paths.front().string());
  return static_cast<double>(done) / std::max(since(), 1e-9);
}

}  // namespace lava::bench
