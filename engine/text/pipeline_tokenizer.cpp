#include "engine/text/pipeline_tokenizer.h"

#include <algorithm>

#include "engine/text/byte_level.h"
#include "engine/text/unicode.h"

namespace lava::text {

namespace {

std::string replace_every(std::string text, const std::string& from, const std::string& to) {
  size_t at = from.empty() ? std::string::npos : text.find(from);
  if (at == std::string::npos) return text;
  std::string out;
  size_t done = 0;
  for (; at != std::string::npos; at = text.find(from, done)) {
    out.append(text, done, at - done).append(to);
    done = at + from.size();
  }
  return out.append(text, done);
}

// One text made of runs, and which of its bytes may become control tokens.
struct JoinedRuns {
  std::string text;
  std::vector<Fragment> allowed;  // begin and end of stretches with parse_special, joined where they touch
  bool all_allowed = true;

  explicit JoinedRuns(std::span<const TextRun> runs) {
    for (const TextRun& run : runs) {
      const size_t begin = text.size();
      text += replace_invalid_utf8(run.text);
      if (text.size() == begin) continue;
      if (!run.parse_special) {
        all_allowed = false;
      } else if (!allowed.empty() && allowed.back().end == begin) {
        allowed.back().end = text.size();
      } else {
        allowed.push_back({-1, begin, text.size()});
      }
    }
  }

  bool may_be_special(size_t begin, size_t end) const {
    const auto after = std::upper_bound(allowed.begin(), allowed.end(), begin, [](size_t at, const Fragment& f) { return at < f.begin; });
    return after != allowed.begin() && end <= std::prev(after)->end;
  }
};

class PipelineTokenizer final : public Tokenizer {
 public:
  explicit PipelineTokenizer(Pipeline pipeline) : Tokenizer(std::move(pipeline.table)), parts_(std::move(pipeline)) {}

  // Tokens marked "normalized" are searched as their normalised text, which only now can be computed.
  void prepare() {
    added_ids_.resize(size());
    for (const AddedToken& token : parts_.added) {
      if (table_.contains(token.id)) added_ids_[token.id] = true;
      if (!token.normalized) {
        raw_.add(token);
        guarded_raw_.add(token);
        continue;
      }
      if (token.special) guarded_raw_.add(token);
      AddedToken changed = token;
      if (auto text = normalized(token.content, Deadline())) changed.content = std::move(*text);
      late_.add(changed);
    }
  }

  Result<std::vector<int32_t>> encode_runs(std::span<const TextRun> runs, bool at_start) const override {
    const JoinedRuns joined(runs);
    if (joined.text.size() > max_text) return too_long(joined.text.size());
    const Deadline deadline;
    std::vector<int32_t> ids;
    const AddedTokenMatcher& matcher = joined.all_allowed ? raw_ : guarded_raw_;
    const auto fragments = matcher.cut(joined.text, [&](const AddedToken& token, size_t begin, size_t end) {
      return !token.special || joined.may_be_special(begin, end);
    });
    bool after_token = false;
    for (size_t i = 0; i < fragments.size(); ++i) {
      const Fragment& fragment = fragments[i];
      if (fragment.id >= 0) {
        ids.push_back(fragment.id);
        after_token = true;
        continue;
      }
      std::string text = joined.text.substr(fragment.begin, fragment.end - fragment.begin);
      const bool prefix = i == 0 && at_start ? parts_.prefix_space_at_start : parts_.prefix_space_after_token && (after_token || i == 0);
      if (prefix) text.insert(text.begin(), ' ');
      LAVA_CHECK_OK(encode_fragment(std::move(text), i == 0 && at_start, joined.all_allowed, deadline, ids));
      after_token = false;
    }
    return ids;
  }

  std::string token_bytes(int32_t id, bool show_special) const override {
    if (!table_.contains(id)) return {};
    const TokenKind kind = table_.kind(id);
    const std::string text(table_.text(id));
    if (kind == TokenKind::control || kind == TokenKind::unknown) return show_special ? text : std::string();
    if (added_ids_[id] || kind == TokenKind::user_defined) return text;
    if (kind == TokenKind::unused && text.starts_with("[PAD")) return {};
    if (parts_.decode.byte_level) return from_byte_characters(text);
    if (parts_.decode.byte_fallback) {
      const int byte = byte_of_fallback_token(text);
      if (byte >= 0) return std::string(1, static_cast<char>(byte));
    }
    std::string out = text;
    for (const auto& [from, to] : parts_.decode.replacements) out = replace_every(std::move(out), from, to);
    return out;
  }

  std::string decode(std::span<const int32_t> ids, bool show_special) const override {
    std::string bytes;
    for (const int32_t id : ids) bytes += token_bytes(id, show_special);
    const bool keep = parts_.decode.keep_after_bos && !ids.empty() && ids.front() == table_.special.bos && ids.front() != no_token;
    size_t stripped = 0;
    while (!keep && stripped < parts_.decode.strip_left && stripped < bytes.size() && bytes[stripped] == ' ') ++stripped;
    return replace_invalid_utf8(std::string_view(bytes).substr(stripped));
  }

  size_t leading_spaces() const override { return parts_.decode.strip_left; }
  std::string_view kind() const override { return parts_.kind; }

 private:
  static constexpr size_t max_text = 64u << 20;

  static tl::unexpected<Error> too_long(size_t bytes) {
    return fail(Error::Kind::too_large, "The text is too long to be split into tokens", std::to_string(bytes) + " bytes");
  }

  Pipeline parts_;  // its table was moved into the base
  AddedTokenMatcher raw_, guarded_raw_, late_;
  std::vector<bool> added_ids_;

  Result<std::string> normalized(std::string text, const Deadline& deadline) const {
    for (const NormalizerStep& step : parts_.normalizers) {
      LAVA_TRY(text, step(std::move(text), deadline));
      if (text.size() > max_text) return too_long(text.size());
    }
    return text;
  }

  Result<void> encode_fragment(std::string text, bool first, bool all_allowed, const Deadline& deadline, std::vector<int32_t>& ids) const {
    LAVA_TRY(text, normalized(std::move(text), deadline));
    if (late_.empty()) return encode_words(std::move(text), first, deadline, ids);
    const auto accept = [&](const AddedToken& token, size_t, size_t) { return !token.special || all_allowed; };
    for (const Fragment& part : late_.cut(text, accept)) {
      if (part.id >= 0) {
        ids.push_back(part.id);
      } else {
        LAVA_CHECK_OK(encode_words(text.substr(part.begin, part.end - part.begin), first && part.begin == 0, deadline, ids));
      }
    }
    return {};
  }

  Result<void> encode_words(std::string text, bool first, const Deadline& deadline, std::vector<int32_t>& ids) const {
    Pieces pieces;
    if (!text.empty()) pieces.texts.push_back(std::move(text));
    pieces.first = first;
    for (const SplitStep& step : parts_.splits) {
      LAVA_TRY(pieces, step(std::move(pieces), deadline));
    }
    for (const std::string& piece : pieces.texts)
      if (!piece.empty()) parts_.model(piece, ids);
    return {};
  }
};

}  // namespace

std::unique_ptr<Tokenizer> make_tokenizer(Pipeline pipeline) {
  auto tokenizer = std::make_unique<PipelineTokenizer>(std::move(pipeline));
  tokenizer->prepare();
  return tokenizer;
}

}  // namespace lava::text
