#include "engine/io/sealed_text.h"

#include "engine/io/json_file.h"
#include "engine/io/new_file.h"
#include "engine/media/sha256.h"

namespace lava::io {
namespace {

constexpr size_t digest_digits = 64, most_bytes = 16384;

std::string seal_of(const std::string& text) { return media::sha256_hex(std::as_bytes(std::span(text))); }

}  // namespace

std::optional<std::string> read_sealed(const std::filesystem::path& path) {
  const Result<std::string> sealed = read_text(path, most_bytes);
  if (!sealed || sealed->size() <= digest_digits + 1) return std::nullopt;
  std::string text = sealed->substr(digest_digits + 1);
  if (sealed->substr(0, digest_digits) != seal_of(text)) return std::nullopt;
  return text;
}

Result<void> write_sealed(const std::filesystem::path& path, const std::string& text) {
  const std::string sealed = seal_of(text) + "\n" + text;
  LAVA_TRY(NewFile file, NewFile::create(path, sealed.size()));
  LAVA_CHECK_OK(file.write(std::as_bytes(std::span(sealed))));
  return file.finish();
}

}  // namespace lava::io
