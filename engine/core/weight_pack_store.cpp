#include "engine/core/weight_pack_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "engine/core/weight_pack_notes.h"
#include "engine/io/new_file.h"

namespace lava {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view pack_ending = ".pack";

std::vector<fs::path> files_ending(const fs::path& folder, std::string_view ending) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error))
    if (entry->path().native().ends_with(ending)) files.push_back(entry->path());
  return files;
}

void erase(const fs::path& file) {
  std::error_code ignored;
  fs::remove(file, ignored);
}

void erase_pack(const fs::path& pack) {
  erase(pack);
  erase(check_path(pack));
}

// Not told by the pack's own time, which says that nothing touched it.
fs::file_time_type last_use(const fs::path& pack, std::error_code& error) {
  const fs::file_time_type used = fs::last_write_time(check_path(pack), error);
  return error ? fs::last_write_time(pack, error) : used;
}

}  // namespace

fs::path WeightPackStore::pack_path(const io::Digest& content) const { return folder_ / (hex(content) + std::string(pack_ending)); }

std::optional<WeightPack> WeightPackStore::find(std::span<const io::MappedFile> files) const {
  if (!is_on() || files.empty()) return std::nullopt;
  std::vector<io::Digest> contents;
  for (const io::MappedFile& file : files) {
    const auto note = find_note(folder_, file.identity());
    if (!note) return std::nullopt;
    contents.push_back(note->content);
  }
  const io::Digest content = digest_of_model(contents);
  auto pack = WeightPack::open(pack_path(content), content);
  if (!pack) return std::nullopt;
  if (!is_checked(*pack) && !pack->check(static_cast<int>(std::max(1u, std::thread::hardware_concurrency())))) return std::nullopt;
  return std::move(*pack);
}

bool WeightPackStore::is_checked(const WeightPack& pack) const { return find_check(pack.path()) == pack.stamp(); }

void WeightPackStore::clear() const {
  for (const std::string_view ending : {pack_ending, note_ending, check_ending})
    for (const fs::path& file : files_ending(folder_, ending)) erase(file);
  sweep();
}

void WeightPackStore::sweep() const {
  const std::string unfinished = io::NewFile::unfinished("").string();
  for (const fs::path& part : files_ending(folder_, unfinished)) erase(part);
  std::set<fs::path> wanted;
  for (const fs::path& file : files_ending(folder_, note_ending)) {
    const auto note = read_note(file);
    if (note && io::MappedFile::identity_of(note->path) == note->identity) {
      wanted.insert(pack_path(note->pack));
    } else {
      erase(file);
    }
  }
  for (const fs::path& pack : files_ending(folder_, pack_ending))
    if (!wanted.contains(pack)) erase_pack(pack);
  for (const fs::path& check : files_ending(folder_, check_ending)) {
    std::error_code ignored;
    fs::path pack = check;
    if (!fs::exists(pack.replace_extension(pack_ending), ignored)) erase(check);
  }
}

Result<void> WeightPackStore::make_room(uint64_t bytes, const io::Digest& content) const {
  struct Kept {
    fs::path path;
    uint64_t bytes;
    fs::file_time_type used;
  };
  std::vector<Kept> packs;
  uint64_t total = bytes;
  std::error_code error;
  for (const fs::path& path : files_ending(folder_, pack_ending)) {
    if (path == pack_path(content)) continue;  // will be replaced
    packs.push_back({path, fs::file_size(path, error), {}});
    if (!error) packs.back().used = last_use(path, error);
    if (error) packs.pop_back();
    else total += packs.back().bytes;
  }
  std::sort(packs.begin(), packs.end(), [](const Kept& a, const Kept& b) { return a.used < b.used; });
  for (const Kept& pack : packs) {
    if (total <= limits_.most_total) break;
    erase_pack(pack.path);
    total -= pack.bytes;
  }
  const fs::space_info disk = fs::space(folder_, error);
  if (error) return {};  // what the system does not know, writing will show
  const auto left = std::max(limits_.least_free, static_cast<uint64_t>(limits_.least_free_share * static_cast<double>(disk.capacity)));
  if (disk.available >= bytes && disk.available - bytes >= left) return {};
  return fail(Error::Kind::io, "There is not enough room on the disk of " + folder_.string(),
              fmt::format("it needs {} MB and leaves {} MB free, {} MB are free", bytes / 1'000'000 + 1, left / 1'000'000, disk.available / 1'000'000),
              "Free some room, or set LAVASCOPE_CACHE to a folder on another disk");
}

void WeightPackStore::mark_used(const io::Digest& content) const {
  std::error_code ignored;
  fs::last_write_time(check_path(pack_path(content)), fs::file_time_type::clock::now(), ignored);
}

}  // namespace lava
