#include "engine/devices/verdicts.h"

#include <vector>

#include "engine/io/sealed_text.h"
#include "engine/media/sha256.h"

namespace lava {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".verdict";
constexpr std::string_view passed = "1 passed\n", failed = "1 failed\n";  // 1: the version of this format

fs::path file_of(const fs::path& folder, const std::string& subject) {
  return folder / (media::sha256_hex(std::as_bytes(std::span(subject))).substr(0, 32) + std::string(ending));
}

}  // namespace

// "1 passed\nSUBJECT" or "1 failed\nSENTENCE\nSUBJECT"
std::optional<Verdict> find_verdict(const fs::path& folder, const std::string& subject) {
  if (folder.empty()) return std::nullopt;
  const auto text = io::read_sealed(file_of(folder, subject));
  if (!text || !text->ends_with("\n" + subject)) return std::nullopt;
  if (*text == std::string(passed) + subject) return Verdict{true, {}};
  const size_t words = text->size() - subject.size() - 1;
  if (!text->starts_with(failed) || words <= failed.size()) return std::nullopt;
  return Verdict{false, text->substr(failed.size(), words - failed.size())};
}

Result<void> write_verdict(const fs::path& folder, const std::string& subject, const Verdict& verdict) {
  std::error_code ignored;  // of what is in the way, writing tells
  fs::create_directories(folder, ignored);
  const std::string text = verdict.passed ? std::string(passed) : std::string(failed) + verdict.why + "\n";
  return io::write_sealed(file_of(folder, subject), text + subject);
}

void forget_verdicts(const fs::path& folder) {
  std::vector<fs::path> verdicts;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error))
    if (entry->path().extension() == ending) verdicts.push_back(entry->path());
  for (const fs::path& verdict : verdicts) fs::remove(verdict, error);
}

}  // namespace lava
