#include "engine/core/picture_cache.h"

namespace lava {
namespace {

constexpr size_t most_ids = 100'000;

size_t bytes_of(const PictureRows& rows) { return rows.rows.size() * sizeof(float) + rows.info.size() * sizeof(RowInfo) + rows.key.size(); }

}  // namespace

std::shared_ptr<const PictureRows> PictureCache::find(const std::string& key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return nullptr;
  order_.splice(order_.begin(), order_, entry->second);
  return order_.front();
}

std::shared_ptr<const PictureRows> PictureCache::put(PictureRows rows) {
  auto kept = std::make_shared<const PictureRows>(std::move(rows));
  if (entries_.contains(kept->key)) return find(kept->key);
  bytes_ += bytes_of(*kept);
  order_.push_front(kept);
  entries_[kept->key] = order_.begin();
  while (bytes_ > max_bytes_ && order_.size() > 1) {
    bytes_ -= bytes_of(*order_.back());
    entries_.erase(order_.back()->key);
    order_.pop_back();
  }
  return kept;
}

uint64_t PictureCache::id_of(const std::string& key) {
  if (ids_.size() >= most_ids) ids_.clear();  // forgotten keys get new numbers, which only costs a recomputation
  const auto [entry, added] = ids_.try_emplace(key, next_id_);
  if (added) ++next_id_;
  return entry->second;
}

}  // namespace lava
