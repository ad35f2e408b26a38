#include "kernels/cuda/stream.h"

#include <algorithm>

#include "kernels/check.h"

namespace lava::cuda {

Step Stream::step(const StepParams* host) {
  if (!host) return {};
  if (!recording_) return {nullptr, host->past, host->token};
  const auto found = std::find(recorded_.begin(), recorded_.end(), host);
  const auto index = static_cast<size_t>(found - recorded_.begin());
  if (found == recorded_.end()) {
    LAVA_CHECK(recorded_.size() < max_mirrors);  // a model has one StepParams
    recorded_.push_back(host);
  }
  return {resources_.mirrors + index, 0, 0};
}

int64_t Stream::most_past(const StepParams* host, int64_t context) const {
  if (!host) return 0;
  if (!recording_) return host->past;
  return host->limit > 0 ? std::min<int64_t>(host->limit, context) : context;
}

}  // namespace lava::cuda
