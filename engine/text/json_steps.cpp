#include "engine/text/json_steps.h"

#include <nlohmann/json.hpp>

namespace lava::text {

namespace {

using nlohmann::json;
constexpr int max_depth = 16;

std::string text_of(const json& object, const char* key, std::string fallback = {}) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::move(fallback);
}

bool flag_of(const json& object, const char* key, bool fallback) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() ? found->get<bool>() : fallback;
}

int64_t number_of(const json& object, const char* key, int64_t fallback) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : fallback;
}

constexpr size_t max_insert = 1024;  // bytes a step may put in at one place

tl::unexpected<Error> unknown(std::string part, const json& step) {
  const std::string kind = step.is_object() ? text_of(step, "type", "without a type") : "that is not an object";
  return fail(Error::Kind::unsupported, "The tokenizer uses a step that this program does not know", part + " " + kind.substr(0, 80),
              "Choose a model with a SentencePiece or byte-level BPE tokenizer");
}

tl::unexpected<Error> broken(std::string cause) {
  return fail(Error::Kind::invalid, "The tokenizer file is broken", std::move(cause), "Download the file again");
}

// Calls `each` for every entry of step[key].
template <class Each>
Result<void> for_each_step(const json& step, const char* key, int depth, Each each) {
  if (depth >= max_depth) return broken("its steps are nested too deeply");
  const auto list = step.find(key);
  if (list == step.end() || !list->is_array()) return broken(std::string("a sequence has no list ") + key);
  for (const json& entry : *list) LAVA_CHECK_OK(each(entry));
  return {};
}

Result<std::string> insert_of(const json& step, const char* key) {
  std::string text = text_of(step, key);
  if (text.size() > max_insert) return broken("the text " + std::string(key) + " of a step has " + std::to_string(text.size()) + " bytes");
  return text;
}

struct Pattern {
  bool is_regex = false;
  std::string text;
};

Result<Pattern> pattern_of(const json& step) {
  const auto found = step.find("pattern");
  if (found != step.end() && found->is_string()) return Pattern{false, found->get<std::string>()};
  if (found != step.end() && found->is_object()) {
    if (found->contains("String") && (*found)["String"].is_string()) return Pattern{false, (*found)["String"].get<std::string>()};
    if (found->contains("Regex") && (*found)["Regex"].is_string()) return Pattern{true, (*found)["Regex"].get<std::string>()};
  }
  return broken("the step " + text_of(step, "type") + " has no pattern");
}

Result<steps::Finder> finder_of(const json& step) {
  LAVA_TRY(Pattern pattern, pattern_of(step));
  if (!pattern.is_regex) return steps::occurrences_of(std::move(pattern.text));
  LAVA_TRY(Regex regex, Regex::compile(pattern.text));
  return steps::matches_of(std::move(regex));
}

Result<steps::Behavior> behavior_of(const json& step) {
  const std::string name = text_of(step, "behavior", "Isolated");
  if (name == "Removed") return steps::Behavior::removed;
  if (name == "Isolated") return steps::Behavior::isolated;
  if (name == "MergedWithPrevious") return steps::Behavior::merged_with_previous;
  if (name == "MergedWithNext") return steps::Behavior::merged_with_next;
  if (name == "Contiguous") return steps::Behavior::contiguous;
  return fail(Error::Kind::unsupported, "The tokenizer splits text in a way that this program does not know",
              "behavior " + name.substr(0, 80));
}

Result<SplitStep> metaspace_of(const json& step) {
  const std::string scheme = text_of(step, "prepend_scheme", flag_of(step, "add_prefix_space", true) ? "always" : "never");
  const std::string replacement = text_of(step, "replacement", "\xE2\x96\x81");
  const bool split = flag_of(step, "split", true);
  if (replacement.empty() || replacement.size() > 4) return broken("the replacement of Metaspace is no single character");
  if (scheme == "always") return steps::metaspace(replacement, steps::PrependScheme::always, split);
  if (scheme == "first") return steps::metaspace(replacement, steps::PrependScheme::first, split);
  if (scheme == "never") return steps::metaspace(replacement, steps::PrependScheme::never, split);
  return fail(Error::Kind::unsupported, "The tokenizer puts spaces in a way that this program does not know",
              "prepend_scheme " + scheme.substr(0, 80));
}

}  // namespace

Result<void> read_normalizer(const json& step, std::vector<NormalizerStep>& out, int depth) {
  if (step.is_null()) return {};
  if (!step.is_object()) return unknown("normalizer", step);
  const std::string type = text_of(step, "type");
  if (type == "Sequence")
    return for_each_step(step, "normalizers", depth, [&](const json& entry) { return read_normalizer(entry, out, depth + 1); });
  if (type == "NFC") {
    out.push_back(steps::normal_form(NormalForm::nfc));
  } else if (type == "NFD") {
    out.push_back(steps::normal_form(NormalForm::nfd));
  } else if (type == "NFKC") {
    out.push_back(steps::normal_form(NormalForm::nfkc));
  } else if (type == "NFKD") {
    out.push_back(steps::normal_form(NormalForm::nfkd));
  } else if (type == "Lowercase") {
    out.push_back(steps::lower());
  } else if (type == "StripAccents") {
    out.push_back(steps::strip_accents());
  } else if (type == "Strip") {
    out.push_back(steps::strip(flag_of(step, "strip_left", true), flag_of(step, "strip_right", true)));
  } else if (type == "Prepend") {
    LAVA_TRY(std::string prefix, insert_of(step, "prepend"));
    out.push_back(steps::prepend(std::move(prefix)));
  } else if (type == "ByteLevel") {
    out.push_back(steps::byte_characters());
  } else if (type == "Replace") {
    LAVA_TRY(const Pattern pattern, pattern_of(step));
    LAVA_TRY(std::string content, insert_of(step, "content"));
    if (pattern.is_regex) {
      LAVA_TRY(Regex regex, Regex::compile(pattern.text));
      out.push_back(steps::replace_matches(std::move(regex), std::move(content)));
    } else {
      out.push_back(steps::replace(pattern.text, std::move(content)));
    }
  } else {
    return unknown("normalizer", step);
  }
  return {};
}

Result<void> read_pre_tokenizer(const json& step, std::vector<SplitStep>& out, int depth) {
  using steps::Behavior;
  if (step.is_null()) return {};
  if (!step.is_object()) return unknown("pre_tokenizer", step);
  const std::string type = text_of(step, "type");
  if (type == "Sequence")
    return for_each_step(step, "pretokenizers", depth, [&](const json& entry) { return read_pre_tokenizer(entry, out, depth + 1); });
  if (type == "ByteLevel") {
    out.push_back(steps::byte_level(flag_of(step, "add_prefix_space", true), flag_of(step, "use_regex", true)));
  } else if (type == "Split") {
    LAVA_TRY(const Behavior behavior, behavior_of(step));
    LAVA_TRY(steps::Finder finder, finder_of(step));
    out.push_back(steps::split(std::move(finder), behavior, flag_of(step, "invert", false)));
  } else if (type == "Digits") {
    const bool single = flag_of(step, "individual_digits", false);
    out.push_back(steps::split(steps::characters_where(is_numeric), single ? Behavior::isolated : Behavior::contiguous, false));
  } else if (type == "Punctuation") {
    LAVA_TRY(const Behavior behavior, behavior_of(step));
    out.push_back(steps::split(steps::characters_where(is_punctuation), behavior, false));
  } else if (type == "Whitespace") {
    out.push_back(steps::split(steps::word_runs(), Behavior::removed, true));
  } else if (type == "WhitespaceSplit") {
    out.push_back(steps::split(steps::characters_where(is_white_space), Behavior::removed, false));
  } else if (type == "CharDelimiterSplit") {
    out.push_back(steps::split(steps::occurrences_of(text_of(step, "delimiter")), Behavior::removed, false));
  } else if (type == "Metaspace") {
    LAVA_TRY(SplitStep metaspace, metaspace_of(step));
    out.push_back(std::move(metaspace));
  } else {
    return unknown("pre_tokenizer", step);
  }
  return {};
}

Result<void> read_decoder(const json& step, DecodePlan& plan, int depth) {
  if (step.is_null()) return {};
  if (!step.is_object()) return unknown("decoder", step);
  const std::string type = text_of(step, "type");
  if (type == "Sequence")
    return for_each_step(step, "decoders", depth, [&](const json& entry) { return read_decoder(entry, plan, depth + 1); });
  if (type == "ByteLevel") {
    plan.byte_level = true;
  } else if (type == "ByteFallback") {
    plan.byte_fallback = true;
  } else if (type == "Metaspace") {
    plan.replacements.emplace_back(text_of(step, "replacement", "\xE2\x96\x81"), " ");
    const bool prefix = text_of(step, "prepend_scheme", flag_of(step, "add_prefix_space", true) ? "always" : "never") != "never";
    plan.strip_left = prefix ? 1 : 0;
  } else if (type == "Replace") {
    LAVA_TRY(const Pattern pattern, pattern_of(step));
    if (pattern.is_regex) return unknown("decoder with a regular expression,", step);
    LAVA_TRY(std::string content, insert_of(step, "content"));
    plan.replacements.emplace_back(pattern.text, std::move(content));
  } else if (type == "Strip") {
    const int64_t start = number_of(step, "start", 0);
    if (text_of(step, "content") != " " || number_of(step, "stop", 0) != 0 || start < 0 || start > 1000)
      return unknown("decoder with unusual numbers,", step);
    plan.strip_left = static_cast<size_t>(start);
  } else if (type != "Fuse") {
    return unknown("decoder", step);
  }
  return {};
}

namespace {

// {"SpecialToken": {"id": "<s>"}} or {"Sequence": ...}
Result<void> read_template(const json& step, PostProcessing& out) {
  const auto single = step.find("single");
  if (single == step.end() || !single->is_array()) return broken("the template of the post processor has no list \"single\"");
  bool after_text = false;
  for (const json& entry : *single) {
    if (!entry.is_object()) return broken("an entry of the post processor's template is no object");
    if (entry.contains("Sequence")) {
      after_text = true;
    } else if (entry.contains("SpecialToken") && entry["SpecialToken"].is_object()) {
      auto& place = after_text ? out.last_token : out.first_token;
      if (place)
        return fail(Error::Kind::unsupported, "The tokenizer puts several special tokens around a text",
                    "post_processor TemplateProcessing");
      place = text_of(entry["SpecialToken"], "id");
    } else {
      return broken("an entry of the post processor's template has an unknown form");
    }
  }
  return {};
}

}  // namespace

Result<void> read_post_processor(const json& step, PostProcessing& out, int depth) {
  if (step.is_null()) return {};
  if (!step.is_object()) return unknown("post_processor", step);
  const std::string type = text_of(step, "type");
  if (type == "Sequence")
    return for_each_step(step, "processors", depth, [&](const json& entry) { return read_post_processor(entry, out, depth + 1); });
  if (type == "TemplateProcessing") return read_template(step, out);
  return type == "ByteLevel" ? Result<void>() : Result<void>(unknown("post_processor", step));
}

bool has_step(const json& step, std::string_view kind, int depth) {
  if (depth > max_depth || !step.is_object()) return false;
  if (text_of(step, "type") == kind) return true;
  for (const char* key : {"normalizers", "pretokenizers", "decoders"})
    if (const auto list = step.find(key); list != step.end() && list->is_array())
      for (const json& entry : *list)
        if (has_step(entry, kind, depth + 1)) return true;
  return false;
}

}  // namespace lava::text
