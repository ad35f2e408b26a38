// Finds tokens that are cut out of a text before it is split into words.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lava::text {

struct AddedToken {
  int32_t id = -1;
  std::string content;
  bool special = false;      // needs the right to produce control tokens
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // ... after it
  bool single_word = false;  // only where no letter or digit touches it
  bool normalized = false;   // searched in the normalised text
};

// Every place of a text is compared with the tokens, so their length bounds the time.
constexpr size_t max_added_token_bytes = 1024;

// A part of a text: a token (id >= 0) or plain text to split further.
struct Fragment {
  int32_t id = -1;
  size_t begin = 0, end = 0;
};

// Leftmost and longest match of a set of texts, one pass over the text.
class AddedTokenMatcher {
 public:
  // Tokens with an empty content are left out.
  void add(const AddedToken& token);
  bool empty() const { return tokens_.empty(); }

  using Accept = std::function<bool(const AddedToken&, size_t begin, size_t end)>;
  // Cuts `text` at every match that `accept` agrees to.
  std::vector<Fragment> cut(std::string_view text, const Accept& accept) const;

 private:
  struct Node {
    int32_t token = -1;                             // index into tokens_
    std::vector<std::pair<uint8_t, int32_t>> next;  // few children, searched in order
  };
  int32_t child(int32_t node, uint8_t byte) const;
  const AddedToken* longest_at(std::string_view text, size_t begin, const Accept& accept) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_{1};
};

}  // namespace lava::text
