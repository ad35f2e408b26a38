// Writes the packs of an opened model in the background, while the model already answers.
#pragma once
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/core/weight_pack_store.h"
#include "engine/core/weights.h"

namespace lava {

class WeightPackKeeper {
 public:
  // Looks after the store on a thread of lowest priority; what `sources` point at must outlive this object.
  // on_notice: called at most once, on that thread, with why nothing could be kept.
  WeightPackKeeper(WeightPackStore store, std::vector<const PackedSource*> sources, std::function<void(const std::string&)> on_notice);
  ~WeightPackKeeper();  // stops at once; nothing unfinished remains

  void wait();  // until all is kept or given up
  std::string notice() const;

 private:
  void run(const std::stop_token& stop);

  const WeightPackStore store_;
  const std::vector<const PackedSource*> sources_;
  const std::function<void(const std::string&)> on_notice_;
  mutable std::mutex mutex_;
  std::string notice_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace lava
