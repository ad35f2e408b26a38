// What checks of devices found on this computer: small files, one for each thing that was checked.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "kernels/result.h"

namespace lava {

struct Verdict {
  bool passed = false;
  std::string why;  // of one that did not pass: a sentence

  bool operator==(const Verdict&) const = default;
};

// `subject`: all that makes another check necessary when it changes. nullopt: not checked, or the file is damaged.
std::optional<Verdict> find_verdict(const std::filesystem::path& folder, const std::string& subject);
Result<void> write_verdict(const std::filesystem::path& folder, const std::string& subject, const Verdict& verdict);
// Every device is checked anew when it is wanted next.
void forget_verdicts(const std::filesystem::path& folder);

}  // namespace lava
