#define PCRE2_CODE_UNIT_WIDTH 8
#include "engine/text/regex.h"

#include <pcre2.h>

#include <algorithm>

#include "engine/text/unicode.h"

namespace lava::text {

namespace {
template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* pointer) const {
    release(pointer);
  }
};
template <class T, auto release>
using Owned = std::unique_ptr<T, Releaser<release>>;

// What one match operation holds: a thread must not share it.
struct Scratch {
  Owned<pcre2_match_data, pcre2_match_data_free> data{pcre2_match_data_create(1, nullptr)};
  Owned<pcre2_match_context, pcre2_match_context_free> context{pcre2_match_context_create(nullptr)};
  Owned<pcre2_jit_stack, pcre2_jit_stack_free> stack{pcre2_jit_stack_create(32 * 1024, 8 * 1024 * 1024, nullptr)};
  Scratch() {
    if (context && stack) pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }
};

Scratch& thread_scratch() {
  thread_local Scratch scratch;
  return scratch;
}

std::string pcre2_message(int code) {
  unsigned char buffer[256];
  const int length = pcre2_get_error_message(code, buffer, sizeof buffer);
  return length > 0 ? std::string(reinterpret_cast<char*>(buffer), length) : "error " + std::to_string(code);
}

tl::unexpected<Error> too_slow(std::string cause) {
  return fail(Error::Kind::too_large, "The tokenizer's split pattern takes too long on this text", std::move(cause),
              "Use a tokenizer file from the model's publisher");
}
}  // namespace

struct Regex::State {
  Owned<pcre2_code, pcre2_code_free> code;
};

Regex::Regex(std::unique_ptr<State> state) : state_(std::move(state)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern) {
  if (!is_valid_utf8(pattern)) return fail(Error::Kind::invalid, "The tokenizer's split pattern is not UTF-8");
  LAVA_TRY(const std::string translated, to_pcre2(pattern));
  int error = 0;
  PCRE2_SIZE offset = 0;
  // Anchored: find_all tries one start after the other itself, so that no single call can run for long.
  const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_ANCHORED | PCRE2_NEVER_BACKSLASH_C;
  auto state = std::make_unique<State>();
  state->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(), options, &error, &offset, nullptr));
  if (!state->code)
    return fail(Error::Kind::invalid, "The tokenizer's split pattern cannot be read",
                pcre2_message(error) + " at byte " + std::to_string(offset) + " of " + translated.substr(0, 200));
  pcre2_jit_compile(state->code.get(), PCRE2_JIT_COMPLETE);  // without JIT the interpreter serves
  return Regex(std::move(state));
}

Result<void> Regex::find_all(std::string_view text, const Deadline& deadline, std::vector<Match>& matches) const {
  matches.clear();
  Scratch& scratch = thread_scratch();
  if (!scratch.data || !scratch.context) return fail(Error::Kind::out_of_memory, "There is no memory left for splitting a text");
  pcre2_set_match_limit(scratch.context.get(), static_cast<uint32_t>(std::min<size_t>(2'000'000 + 16 * text.size(), 1'000'000'000)));
  pcre2_set_heap_limit(scratch.context.get(), 64 * 1024);
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  size_t at = 0, last_end = 0, calls = 0;
  while (at <= text.size()) {
    if ((++calls & 63) == 0 && deadline.passed()) return too_slow("10 seconds have passed");
    const int found =
        pcre2_match(state_->code.get(), subject, text.size(), at, PCRE2_NO_UTF_CHECK, scratch.data.get(), scratch.context.get());
    if (found < 0 && found != PCRE2_ERROR_NOMATCH) return too_slow(pcre2_message(found));
    const size_t step = at < text.size() ? character_length(text, at) : 1;
    if (found < 0) {
      at += step;
      continue;
    }
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(scratch.data.get());
    const Match match{std::max<size_t>(offsets[0], at), offsets[1]};
    if (match.end <= at) {  // an empty match; directly behind another match it does not count
      if (matches.empty() || last_end != at) matches.push_back({at, at});
      at += step;
      continue;
    }
    matches.push_back(match);
    at = last_end = match.end;
  }
  return {};
}

}  // namespace lava::text
