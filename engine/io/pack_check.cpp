#include "engine/io/pack_check.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/io/crc32c.h"
#include "engine/io/names.h"

namespace lava::io {
namespace {

constexpr size_t page = 4096, piece_bytes = size_t{1} << 20;  // a piece stays in the cache of its core until it is summed

struct Free {
  void operator()(std::byte* memory) const { std::free(memory); }
};

// One thread's part of the work.
class Checker {
 public:
  Checker(const ReadAt& read, const std::string& source, const std::stop_token& stop)
      : read_(read), source_(source), stop_(stop), piece_(static_cast<std::byte*>(std::aligned_alloc(page, piece_bytes))) {}

  Result<void> check(const PackedEntry& entry) const {
    if (!piece_) return fail(Error::Kind::out_of_memory, "There is not enough memory to check " + source_);
    uint32_t sum = 0;
    const uint64_t end = entry.offset + entry.bytes;
    for (uint64_t at = entry.offset; at < end;) {
      if (stop_.stop_requested()) return fail(Error::Kind::cancelled, "The model is being closed");
      const uint64_t from = at / page * page;
      const size_t wanted = std::min<uint64_t>(piece_bytes, (end - from + page - 1) / page * page);
      LAVA_TRY(const size_t count, read_(from, {piece_.get(), wanted}));
      const uint64_t until = std::min<uint64_t>(end, from + count);
      if (until <= at) return fail(Error::Kind::invalid, source_ + " cannot be used", "it ends early");
      sum = crc32c({piece_.get() + (at - from), until - at}, sum);
      at = until;
    }
    if (sum == entry.checksum) return {};
    return fail(Error::Kind::invalid, source_ + " cannot be used", "the bytes of " + printable(entry.name) + " are not those that were written");
  }

 private:
  const ReadAt& read_;
  const std::string& source_;
  const std::stop_token& stop_;
  std::unique_ptr<std::byte, Free> piece_;
};

}  // namespace

Result<void> check_matrices(const PackHeader& header, const ReadAt& read, int threads, const std::string& source, const std::stop_token& stop) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  Result<void> result;
  const auto work = [&] {
    const Checker checker(read, source, stop);
    for (size_t i = next++; i < header.entries.size(); i = next++) {
      const Result<void> checked = checker.check(header.entries[i]);
      if (checked) continue;
      next = header.entries.size();  // the others need not go on
      std::lock_guard lock(mutex);
      if (result) result = checked;
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int i = 1; i < std::min<int>(threads, static_cast<int>(header.entries.size())); ++i) helpers.emplace_back(work);
    work();
  }
  return result;
}

}  // namespace lava::io
