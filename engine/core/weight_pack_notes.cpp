#include "engine/core/weight_pack_notes.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "engine/io/json_file.h"
#include "engine/io/new_file.h"
#include "engine/media/sha256.h"

namespace lava {
namespace {

namespace fs = std::filesystem;

constexpr size_t digest_digits = 64, most_bytes = 16384;
constexpr int version = 1;

std::string text_of(const io::MappedFile::Identity& identity) {
  return fmt::format("{} {} {} {}", identity.device, identity.inode, identity.bytes, identity.modified_ns);
}

std::string sha256_of(const std::string& text) { return media::sha256_hex(std::as_bytes(std::span(text))); }

fs::path note_path(const fs::path& folder, const io::MappedFile::Identity& identity) {
  return folder / (sha256_of(text_of(identity)).substr(0, 32) + std::string(note_ending));
}

bool read_digest(std::istream& in, io::Digest& digest) {
  std::string text;
  if (!(in >> text) || text.size() != digest_digits) return false;
  for (size_t i = 0; i < digest.size(); ++i) {
    const char* at = text.data() + 2 * i;
    if (std::from_chars(at, at + 2, digest[i], 16).ptr != at + 2) return false;
  }
  return true;
}

}  // namespace

std::string hex(const io::Digest& digest) {
  std::string text;
  for (const uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

io::Digest digest_of_model(std::span<const io::Digest> files) {
  if (files.size() == 1) return files.front();
  media::Sha256 hash;
  for (const io::Digest& file : files) hash.add(std::as_bytes(std::span(file)));
  return hash.finish();
}

// "CHECKSUM OF ALL THAT FOLLOWS\nVERSION DEVICE INODE BYTES NANOSECONDS\nCONTENT\nPACK\nPATH"
std::optional<SourceNote> read_note(const fs::path& file) {
  const Result<std::string> text = io::read_text(file, most_bytes);
  if (!text || text->size() <= digest_digits + 1) return std::nullopt;
  const std::string body = text->substr(digest_digits + 1);
  if (text->substr(0, digest_digits) != sha256_of(body)) return std::nullopt;
  std::istringstream in(body);
  SourceNote note;
  auto& [device, inode, bytes, modified_ns] = note.identity;
  int written_by = 0;
  if (!(in >> written_by >> device >> inode >> bytes >> modified_ns) || written_by != version) return std::nullopt;
  if (!read_digest(in, note.content) || !read_digest(in, note.pack) || in.get() != '\n') return std::nullopt;
  note.path = body.substr(static_cast<size_t>(in.tellg()));
  return note;
}

std::optional<SourceNote> find_note(const fs::path& folder, const io::MappedFile::Identity& identity) {
  auto note = read_note(note_path(folder, identity));
  if (note && note->identity != identity) note.reset();
  return note;
}

Result<void> write_note(const fs::path& folder, const SourceNote& note) {
  const std::string body = fmt::format("{} {}\n{}\n{}\n", version, text_of(note.identity), hex(note.content), hex(note.pack)) + note.path.string();
  const std::string text = sha256_of(body) + "\n" + body;
  LAVA_TRY(io::NewFile file, io::NewFile::create(note_path(folder, note.identity), text.size()));
  LAVA_CHECK_OK(file.write(std::as_bytes(std::span(text))));
  return file.finish();
}

}  // namespace lava
