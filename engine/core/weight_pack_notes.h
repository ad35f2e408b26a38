// What is known of a model's file without reading it: small files in the folder of the packs, one for each file of a model.
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

inline constexpr std::string_view note_ending = ".source";

// nullopt: there is none, it is damaged, or it is about another file.
std::optional<SourceNote> find_note(const std::filesystem::path& folder, const io::MappedFile::Identity& identity);
std::optional<SourceNote> read_note(const std::filesystem::path& file);
Result<void> write_note(const std::filesystem::path& folder, const SourceNote& note);

std::string hex(const io::Digest& digest);
// Of a model in these files: that of the file, or of all their digests.
io::Digest digest_of_model(std::span<const io::Digest> files);

}  // namespace lava
