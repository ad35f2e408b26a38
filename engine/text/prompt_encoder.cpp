#include "engine/text/prompt_encoder.h"

namespace lava::text {

namespace {

// BOS once: templates of some models write it themselves.
void put_bos(const SpecialIds& special, std::vector<PromptPiece>& pieces) {
  if (special.bos == no_token) return;
  if (special.add_bos) {
    if (pieces.empty() || pieces.front().picture >= 0) pieces.insert(pieces.begin(), PromptPiece{});
    auto& ids = pieces.front().ids;
    if (ids.empty() || ids.front() != special.bos) ids.insert(ids.begin(), special.bos);
  }
  if (pieces.empty()) return;
  auto& ids = pieces.front().ids;
  while (ids.size() >= 2 && ids[0] == special.bos && ids[1] == special.bos) ids.erase(ids.begin());
}

}  // namespace

Result<std::vector<PromptPiece>> encode_prompt(const Tokenizer& tokenizer, std::span<const Segment> segments) {
  std::vector<PromptPiece> pieces;
  std::vector<TextRun> runs;
  const auto flush = [&]() -> Result<void> {
    if (runs.empty()) return {};
    LAVA_TRY(auto ids, tokenizer.encode_runs(runs, pieces.empty()));
    if (!ids.empty()) pieces.push_back({std::move(ids), -1});
    runs.clear();
    return {};
  };
  for (const Segment& segment : segments) {
    if (segment.picture < 0) {
      if (!segment.text.empty()) runs.push_back({segment.text, segment.parse_special});
      continue;
    }
    LAVA_CHECK_OK(flush());
    pieces.push_back({{}, segment.picture});
  }
  LAVA_CHECK_OK(flush());
  put_bos(tokenizer.special(), pieces);
  return pieces;
}

std::vector<Segment> segments_from_raw(std::string_view prompt) {
  std::vector<Segment> segments;
  int pictures = 0;
  for (size_t at = 0;;) {
    const size_t marker = prompt.find(image_marker, at);
    const std::string_view text = prompt.substr(at, marker == std::string_view::npos ? marker : marker - at);
    if (!text.empty()) segments.push_back({std::string(text), true, -1});
    if (marker == std::string_view::npos) return segments;
    segments.push_back({{}, false, pictures++});
    at = marker + image_marker.size();
  }
}

std::vector<int32_t> flatten(std::span<const PromptPiece> pieces, int32_t image_id) {
  std::vector<int32_t> ids;
  for (const PromptPiece& piece : pieces) {
    if (piece.picture >= 0) {
      ids.push_back(image_id);
    } else {
      ids.insert(ids.end(), piece.ids.begin(), piece.ids.end());
    }
  }
  return ids;
}

}  // namespace lava::text
