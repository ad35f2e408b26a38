#include "engine/core/weight_pack_notes.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "engine/io/sealed_text.h"
#include "engine/media/sha256.h"

namespace lava {
namespace {

namespace fs = std::filesystem;

constexpr size_t digest_digits = 64;
constexpr int version = 1;

std::string text_of(const io::MappedFile::Identity& identity) {
  return fmt::format("{} {} {} {}", identity.device, identity.inode, identity.bytes, identity.modified_ns);
}

fs::path note_path(const fs::path& folder, const io::MappedFile::Identity& identity) {
  const std::string text = text_of(identity);
  return folder / (media::sha256_hex(std::as_bytes(std::span(text))).substr(0, 32) + std::string(note_ending));
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

bool read_identity(std::istream& in, io::MappedFile::Identity& identity) {
  int written_by = 0;
  return in >> written_by >> identity.device >> identity.inode >> identity.bytes >> identity.modified_ns && written_by == version;
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

// "VERSION DEVICE INODE BYTES NANOSECONDS\nCONTENT\nPACK\nPATH"
std::optional<SourceNote> read_note(const fs::path& file) {
  const auto body = io::read_sealed(file);
  if (!body) return std::nullopt;
  std::istringstream in(*body);
  SourceNote note;
  if (!read_identity(in, note.identity)) return std::nullopt;
  if (!read_digest(in, note.content) || !read_digest(in, note.pack) || in.get() != '\n') return std::nullopt;
  note.path = body->substr(static_cast<size_t>(in.tellg()));
  return note;
}

std::optional<SourceNote> find_note(const fs::path& folder, const io::MappedFile::Identity& identity) {
  auto note = read_note(note_path(folder, identity));
  if (note && note->identity != identity) note.reset();
  return note;
}

Result<void> write_note(const fs::path& folder, const SourceNote& note) {
  return io::write_sealed(note_path(folder, note.identity),
                          fmt::format("{} {}\n{}\n{}\n", version, text_of(note.identity), hex(note.content), hex(note.pack)) + note.path.string());
}

fs::path check_path(const fs::path& pack) {
  fs::path path = pack;
  return path.replace_extension(check_ending);
}

// "VERSION DEVICE INODE BYTES NANOSECONDS NANOSECONDS\n", the last those of the change.
std::optional<io::MappedFile::Stamp> find_check(const fs::path& pack) {
  const auto body = io::read_sealed(check_path(pack));
  if (!body) return std::nullopt;
  std::istringstream in(*body);
  io::MappedFile::Stamp stamp;
  if (!read_identity(in, stamp.identity) || !(in >> stamp.changed_ns)) return std::nullopt;
  return stamp;
}

Result<void> write_check(const fs::path& pack, const io::MappedFile::Stamp& stamp) {
  return io::write_sealed(check_path(pack), fmt::format("{} {} {}\n", version, text_of(stamp.identity), stamp.changed_ns));
}

}  // namespace lava
