// Ends an answer at given texts. While it streams, text that may be the beginning of one waits.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace lava {

class StopStrings {
 public:
  explicit StopStrings(std::vector<std::string> stops);  // empty ones are left out

  // The text that may be shown. After stopped() nothing more comes.
  std::string push(std::string_view text);
  std::string finish();
  bool stopped() const { return stopped_; }

 private:
  size_t waiting_length() const;

  std::vector<std::string> stops_;
  std::string waiting_;
  bool stopped_ = false;
};

}  // namespace lava
