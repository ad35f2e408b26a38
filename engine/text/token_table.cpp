#include "engine/text/token_table.h"

#include <algorithm>
#include <array>

namespace lava::text {

namespace {
constexpr std::array<std::string_view, 16> end_marks = {
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>",   "<|endoftext|>",      "</s>",  "<|eom_id|>", "<EOT>",
    "_<EOT>",     "[EOT]",      "[EOS]",   "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<|return|>", "<|call|>"};
}

bool TokenTable::place(int64_t id, std::string text, TokenKind kind) {
  if (id < 0 || id >= max_tokens) return false;
  if (id >= size()) {
    texts_.resize(id + 1);
    kinds_.resize(id + 1, TokenKind::unused);
  } else if (!texts_[id].empty() && texts_[id] != text) {
    return false;
  }
  texts_[id] = std::move(text);
  kinds_[id] = kind;
  return true;
}

void TokenTable::index() {
  ids_.clear();
  ids_.reserve(texts_.size());
  for (int32_t id = 0; id < size(); ++id)
    if (!texts_[id].empty()) ids_.emplace(texts_[id], id);
}

std::optional<int32_t> TokenTable::id_of(std::string_view text) const {
  const auto found = ids_.find(text);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

void TokenTable::set_end_of_generation(std::vector<int64_t> ids) {
  auto& list = special.end_of_generation;
  list.clear();
  for (const int64_t id : ids)
    if (contains(id)) list.push_back(static_cast<int32_t>(id));
  for (const std::string_view mark : end_marks)
    if (const auto id = id_of(mark); id && kind(*id) != TokenKind::normal) list.push_back(*id);
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

bool TokenTable::ends_generation(int32_t id) const {
  return std::binary_search(special.end_of_generation.begin(), special.end_of_generation.end(), id);
}

}  // namespace lava::text
