// The folder in which packs are kept.
#pragma once
#include <filesystem>
#include <optional>
#include <span>

#include "engine/core/weight_pack.h"
#include "engine/io/folder_lock.h"

namespace lava {

struct WeightCacheLimits {
  // A model with less to pack is packed every time: SmolLM2 135M in Q4_1 (98 MB) opens in 0.30 s with a pack and in 0.37 s without, on two
  // busy cores of an EPYC with AVX-512, 2026-11.
  uint64_t least_pack = uint64_t{128} << 20;
  uint64_t most_total = uint64_t{40} << 30;  // packs used longest ago make room for new ones
  uint64_t least_free = uint64_t{1} << 30;   // stays free on the disk,
  double least_free_share = 0.05;            // and this share of it
};

class WeightPackStore {
 public:
  // An empty folder: nothing is found and nothing kept.
  explicit WeightPackStore(std::filesystem::path folder, const WeightCacheLimits& limits = {}) : folder_(std::move(folder)), limits_(limits) {}

  bool is_on() const { return !folder_.empty(); }
  const std::filesystem::path& folder() const { return folder_; }
  const WeightCacheLimits& limits() const { return limits_; }
  std::filesystem::path pack_path(const io::Digest& content) const;

  // The pack of a model in these files, known by their identity: their content is not read. Nor is that of the pack, once it was checked and
  // as long as nothing touched it.
  std::optional<WeightPack> find(std::span<const io::MappedFile> files) const;

  bool is_checked(const WeightPack& pack) const;  // as it lies there

  Result<io::FolderLock> lock() const { return io::lock_folder(folder_); }
  // The rest only with the lock.
  // Removes what dead programs left unfinished, notes of files that are gone or have changed, and packs of no file that is left.
  void sweep() const;
  // Refused when the disk would be too full with `bytes` more; else removes packs for the total.
  Result<void> make_room(uint64_t bytes, const io::Digest& content) const;
  void mark_used(const io::Digest& content) const;
  // Every pack and note goes. Engines that have a pack mapped work on; its room on the disk is free when the last of them ends.
  void clear() const;

 private:
  std::filesystem::path folder_;
  WeightCacheLimits limits_;
};

}  // namespace lava
