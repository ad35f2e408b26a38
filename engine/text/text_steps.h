// The steps between a text and the words a model sees. Each does what the step of the same name in tokenizer.json does.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/regex.h"
#include "engine/text/unicode.h"
#include "kernels/result.h"

namespace lava::text {

// Changes a whole fragment.
using NormalizerStep = std::function<Result<std::string>(std::string text, const Deadline&)>;

// One piece on its way to the model. `first`: it stands at the very start of the text.
struct Pieces {
  std::vector<std::string> texts;
  bool first = false;  // texts[0] is at the start
};
// Splits or rewrites the pieces of a fragment.
using SplitStep = std::function<Result<Pieces>(Pieces pieces, const Deadline&)>;

namespace steps {

NormalizerStep normal_form(NormalForm form);
NormalizerStep lower();
NormalizerStep strip_accents();
NormalizerStep strip(bool left, bool right);
NormalizerStep prepend(std::string prefix);
NormalizerStep replace(std::string pattern, std::string content);
NormalizerStep replace_matches(Regex pattern, std::string content);
NormalizerStep byte_characters();

enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };
enum class PrependScheme { always, first, never };

// Finds the delimiters of one piece.
using Finder = std::function<Result<void>(std::string_view, const Deadline&, std::vector<Match>&)>;
Finder matches_of(Regex pattern);
Finder occurrences_of(std::string literal);
Finder characters_where(bool (*test)(char32_t));
Finder word_runs();  // \w+|[^\w\s]+

SplitStep split(Finder finder, Behavior behavior, bool invert);
SplitStep byte_level(bool add_prefix_space, bool use_regex);
SplitStep metaspace(std::string replacement, PrependScheme scheme, bool split);

// GPT-2's split pattern.
extern const char* const gpt2_pattern;

}  // namespace steps
}  // namespace lava::text
