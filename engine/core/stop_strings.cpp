#include "engine/core/stop_strings.h"

#include <algorithm>

namespace lava {

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase_if(stops_, [](const std::string& stop) { return stop.empty(); });
}

std::string StopStrings::push(std::string_view text) {
  if (stopped_) return {};
  waiting_ += text;
  size_t found = std::string::npos;
  for (const std::string& stop : stops_) found = std::min(found, waiting_.find(stop));
  stopped_ = found != std::string::npos;
  const size_t keep = stopped_ ? found : waiting_.size() - waiting_length();
  std::string out = waiting_.substr(0, keep);
  waiting_.erase(0, keep);
  if (stopped_) waiting_.clear();
  return out;
}

std::string StopStrings::finish() {
  std::string out;
  std::swap(out, waiting_);
  return out;
}

// Length of the longest end of the text that a stop begins with.
size_t StopStrings::waiting_length() const {
  size_t longest = 0;
  for (const std::string& stop : stops_) {
    for (size_t length = std::min(stop.size() - 1, waiting_.size()); length > longest; --length)
      if (std::string_view(waiting_).ends_with(std::string_view(stop).substr(0, length))) longest = length;
  }
  return longest;
}

}  // namespace lava
