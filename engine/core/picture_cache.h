// Rows of pictures that were encoded before, the least recently used leaving first.
#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "engine/core/prompt.h"

namespace lava {

class PictureCache {
 public:
  explicit PictureCache(size_t max_bytes) : max_bytes_(max_bytes) {}

  std::shared_ptr<const PictureRows> find(const std::string& key);  // nullptr: not there
  std::shared_ptr<const PictureRows> put(PictureRows rows);
  // A number for the key that no other key has, the same even after the rows have left.
  uint64_t id_of(const std::string& key);
  size_t bytes() const { return bytes_; }

 private:
  using Order = std::list<std::shared_ptr<const PictureRows>>;

  size_t max_bytes_, bytes_ = 0;
  Order order_;  // most recently used first
  std::unordered_map<std::string, Order::iterator> entries_;
  std::unordered_map<std::string, uint64_t> ids_;
  uint64_t next_id_ = 1;
};

}  // namespace lava
