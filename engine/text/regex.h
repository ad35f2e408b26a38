// Split patterns of vocabularies. They are written for Oniguruma or Rust's regex crate; the few things PCRE2 reads differently are
// rewritten, and what it cannot do is refused by name.
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/result.h"

namespace lava::text {

struct Match {
  size_t begin = 0, end = 0;  // bytes
};

// Time one text may spend in patterns: hostile ones backtrack without end.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds allowed = std::chrono::seconds(10)) : end_(std::chrono::steady_clock::now() + allowed) {}
  bool passed() const { return std::chrono::steady_clock::now() > end_; }

 private:
  std::chrono::steady_clock::time_point end_;
};

class Regex {
 public:
  static Result<Regex> compile(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  // All matches from left to right without overlap, into `matches` (cleared first). `text` is well-formed UTF-8.
  Result<void> find_all(std::string_view text, const Deadline& deadline, std::vector<Match>& matches) const;

 private:
  struct State;
  explicit Regex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The same pattern in PCRE2's syntax (UTF and UCP on, ^ and $ at every line).
Result<std::string> to_pcre2(std::string_view pattern);

}  // namespace lava::text
