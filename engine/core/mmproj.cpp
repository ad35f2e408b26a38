#include "engine/core/mmproj.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "engine/io/gguf.h"
#include "engine/io/names.h"

namespace lava {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::vector<fs::path> candidates(const fs::path& model) {
  std::error_code error;
  std::vector<fs::path> folders{model.parent_path()};
  const fs::path real = fs::canonical(model, error).parent_path();
  if (!error && real != folders[0]) folders.push_back(real);
  std::vector<fs::path> found;
  for (const fs::path& folder : folders) {
    std::error_code stop;
    fs::directory_iterator entry(folder.empty() ? "." : folder, stop);
    for (; !stop && entry != fs::directory_iterator(); entry.increment(stop)) {
      const std::string name = entry->path().filename().string();
      if (is_mmproj_name(name) && entry->path().filename() != model.filename()) found.push_back(entry->path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Bits per weight that a name like "model-Q4_K_M.gguf" or "mmproj-f16.gguf" speaks of; 16 when it names none.
int bits_in_name(const std::string& name) {
  const std::string text = lower(name);
  if (text.find("f32") != std::string::npos) return 32;
  for (const std::string_view name_of : {"q2", "q3", "q4", "q5", "q6", "q8"})
    if (text.find(name_of) != std::string::npos) return name_of[1] - '0';
  return 16;
}

size_t common_start(const std::string& a, const std::string& b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + static_cast<ptrdiff_t>(std::min(a.size(), b.size())), b.begin()).first -
                             a.begin());
}

// The projector's name without "mmproj" and separators at its beginning.
std::string bare_name(const fs::path& file) {
  std::string name = lower(file.filename().string());
  if (name.starts_with("mmproj")) name.erase(0, 6);
  name.erase(0, std::min(name.find_first_not_of("-_. "), name.size()));
  return name;
}

}  // namespace

bool is_mmproj_name(const std::string& name) {
  const std::string text = lower(name);
  return text.ends_with(".gguf") && text.find("mmproj") != std::string::npos;
}

bool is_side_file(const std::string& name) {
  const std::string text = lower(name);
  if (is_mmproj_name(name)) return true;
  constexpr std::array<std::string_view, 5> marks = {"imatrix", "mtp-", "eagle3-", "dflash-", "dspark-"};
  return std::any_of(marks.begin(), marks.end(), [&](std::string_view mark) { return text.find(mark) != std::string::npos; });
}

Result<int64_t> mmproj_width(const fs::path& path) {
  LAVA_TRY(const auto file, io::Gguf::open(path));
  if (file->architecture() != "clip")
    return fail(Error::Kind::invalid, "The file is no projector",
                fmt::format("{} is of the kind {}", path.string(), io::printable(file->architecture())),
                "Choose the mmproj file that belongs to the model");
  const io::TensorEntry* last = nullptr;
  int last_index = -1;
  for (const io::TensorEntry& entry : file->tensors()) {
    if (!entry.name.starts_with("mm.") || !entry.name.ends_with(".weight") || entry.shape.size() != 2) continue;
    int index = -1;
    std::from_chars(entry.name.data() + 3, entry.name.data() + entry.name.size(), index);
    if (index > last_index) last = &entry, last_index = index;
  }
  if (last) return last->shape[0];
  return file->int_in("clip.vision.projection_dim", 1, 1 << 20);
}

Result<void> check_mmproj(const fs::path& file, int64_t text_width) {
  LAVA_TRY(const int64_t width, mmproj_width(file));
  if (width == text_width) return {};
  return fail(Error::Kind::invalid, "The projector does not belong to this language model",
              fmt::format("{} makes rows of {} values, the language model reads {}", file.string(), width, text_width),
              "Choose the mmproj file of this model");
}

MmprojChoice find_mmproj(const fs::path& model, int64_t text_width) {
  MmprojChoice choice;
  const std::string own = lower(model.filename().string());
  const int bits = bits_in_name(own);
  std::pair<size_t, int> best{0, 0};
  for (const fs::path& file : candidates(model)) {
    if (const auto fits = check_mmproj(file, text_width); !fits) {
      if (choice.note.empty()) choice.note = fits.error().message();
      continue;
    }
    const std::pair<size_t, int> rank{common_start(own, bare_name(file)), -std::abs(bits_in_name(file.filename().string()) - bits)};
    if (choice.file.empty() || rank > best) choice.file = file, best = rank;
  }
  return choice;
}

}  // namespace lava
