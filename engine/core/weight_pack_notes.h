// What is known of files without reading them: small files in the folder of the packs, one for each file of a model and for each pack.
#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "engine/io/mapped_file.h"
#include "engine/io/pack_file.h"

namespace lava {

struct SourceNote {
  io::MappedFile::Identity identity;
  io::Digest content{};        // SHA-256 of the file
  io::Digest pack{};           // of the model that it belongs to: the name of its pack
  std::filesystem::path path;  // where it was last seen

  bool operator==(const SourceNote&) const = default;
};

inline constexpr std::string_view note_ending = ".source", check_ending = ".checked";

// nullopt: there is none, it is damaged, or it is about another file.
std::optional<SourceNote> find_note(const std::filesystem::path& folder, const io::MappedFile::Identity& identity);
std::optional<SourceNote> read_note(const std::filesystem::path& file);
Result<void> write_note(const std::filesystem::path& folder, const SourceNote& note);

// Beside a pack: how its file was when all its bytes had been checked. This note's own time is that of the pack's last use.
std::filesystem::path check_path(const std::filesystem::path& pack);
std::optional<io::MappedFile::Stamp> find_check(const std::filesystem::path& pack);
Result<void> write_check(const std::filesystem::path& pack, const io::MappedFile::Stamp& stamp);

std::string hex(const io::Digest& digest);
// Of a model in these files: that of the file, or of all their digests.
io::Digest digest_of_model(std::span<const io::Digest> files);

}  // namespace lava
