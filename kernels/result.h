// Errors as values. Every boundary to a file, a model, the network or a user returns Result<T>.
#pragma once
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace lava {

// One sentence for the user, what caused it, and what to do. `what` stands alone as a sentence without a full stop.
struct Error {
  enum class Kind { invalid, not_found, unsupported, io, out_of_memory, cancelled, busy, too_large, device_lost, internal };
  Kind kind = Kind::internal;
  std::string what;    // "The model file ends early"
  std::string cause;   // "tensor blk.3.attn_q.weight needs 4096 bytes at 8192, the file has 9000"
  std::string remedy;  // "Download the file again"

  // "what: cause. remedy." with the empty parts left out.
  std::string message() const {
    std::string text = what;
    if (!cause.empty()) text += ": " + cause;
    text += '.';
    if (!remedy.empty()) text += ' ' + remedy + '.';
    return text;
  }
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Error::Kind kind, std::string what, std::string cause = {}, std::string remedy = {}) {
  return tl::unexpected<Error>(Error{kind, std::move(what), std::move(cause), std::move(remedy)});
}

}  // namespace lava

// LAVA_TRY(auto x, expression): x = value, or return the error from the enclosing function.
#define LAVA_TRY_JOIN2(a, b) a##b
#define LAVA_TRY_JOIN(a, b) LAVA_TRY_JOIN2(a, b)
#define LAVA_TRY_IMPL(tmp, declaration, ...)                            \
  auto tmp = (__VA_ARGS__);                                             \
  if (!tmp) return tl::unexpected<::lava::Error>(std::move(tmp).error()); \
  declaration = std::move(*tmp)
#define LAVA_TRY(declaration, ...) LAVA_TRY_IMPL(LAVA_TRY_JOIN(lava_try_, __LINE__), declaration, __VA_ARGS__)
// LAVA_CHECK_OK(expression): for Result<void>.
#define LAVA_CHECK_OK(...)                                                                          \
  do {                                                                                              \
    if (auto lava_result = (__VA_ARGS__); !lava_result)                                             \
      return tl::unexpected<::lava::Error>(std::move(lava_result).error());                         \
  } while (0)
