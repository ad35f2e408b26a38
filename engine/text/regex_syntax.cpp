#include "engine/text/regex.h"

namespace lava::text {

namespace {

// Unicode White_Space. PCRE2's own \s adds U+180E.
constexpr std::string_view space_members = R"(\x{9}-\x{d} \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view not_space_members =
    R"(\x{0}-\x{8}\x{e}-\x{1f}!-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";
constexpr std::string_view word_members = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
// Outside a class Oniguruma's \w also takes the small digits and fractions of Latin-1, inside it does not.
constexpr std::string_view lone_word_members = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})";
constexpr std::string_view hex_members = "0-9a-fA-F";

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}

  Result<std::string> run() {
    while (at_ < in_.size()) LAVA_CHECK_OK(step());
    return std::move(out_);
  }

 private:
  std::string_view in_;
  std::string out_;
  size_t at_ = 0;
  size_t atom_ = 0;                  // where the last atom begins in out_
  std::vector<size_t> open_groups_;  // where each open group begins in out_

  tl::unexpected<Error> refuse(std::string what) const {
    return fail(Error::Kind::unsupported, "The tokenizer's split pattern uses something this program does not know",
                what + " in " + std::string(in_.substr(0, 200)));
  }

  Result<void> step() {
    const char c = in_[at_];
    if (c == '\\') return escape();
    if (c == '[') return character_class();
    if (c == '(') return group();
    if (c == '{') return interval();
    if (c == ')') {
      out_ += in_[at_++];
      if (!open_groups_.empty()) {
        atom_ = open_groups_.back();
        open_groups_.pop_back();
      }
      return {};
    }
    if (c != '*' && c != '+' && c != '?') atom_ = out_.size();
    out_ += in_[at_++];
    return {};
  }

  Result<void> escape() {
    if (at_ + 1 >= in_.size()) return refuse("a backslash at the end");
    atom_ = out_.size();
    const char c = in_[at_ + 1];
    switch (c) {
      case 's':
        append_class("[", space_members);
        break;
      case 'S':
        append_class("[^", space_members);
        break;
      case 'w':
        append_class("[", lone_word_members);
        break;
      case 'W':
        append_class("[^", lone_word_members);
        break;
      case 'h':
        append_class("[", hex_members);
        break;
      case 'H':
        append_class("[^", hex_members);
        break;
      default:
        return copy_escape();
    }
    at_ += 2;
    return {};
  }

  void append_class(std::string_view open, std::string_view members) { (out_ += open).append(members) += ']'; }

  // \p{..}, \x{..}, \u1234 and single characters; PCRE2 knows \u only under another spelling.
  Result<void> copy_escape() {
    const char c = in_[at_ + 1];
    if (c == 'u') {
      if (at_ + 6 > in_.size()) return refuse("\\u without four digits");
      out_.append("\\x{").append(in_.substr(at_ + 2, 4)) += '}';
      at_ += 6;
      return {};
    }
    if (c == 'g' || c == 'k' || c == 'K' || c == 'C' || c == 'X' || c == 'R' || (c >= '1' && c <= '9'))
      return refuse(std::string("\\") + c);
    const bool braced = (c == 'p' || c == 'P' || c == 'x') && at_ + 2 < in_.size() && in_[at_ + 2] == '{';
    size_t end = at_ + 2;
    if (braced) {
      end = in_.find('}', at_);
      if (end == std::string_view::npos) return refuse("an open brace");
      ++end;
    }
    out_.append(in_.substr(at_, end - at_));
    at_ = end;
    return {};
  }

  Result<void> character_class() {
    atom_ = out_.size();
    out_ += in_[at_++];
    if (at_ < in_.size() && in_[at_] == '^') out_ += in_[at_++];
    for (bool first = true;; first = false) {
      if (at_ >= in_.size()) return refuse("an open character class");
      const char c = in_[at_];
      if (c == ']' && !first) break;
      if (c == '&' && at_ + 1 < in_.size() && in_[at_ + 1] == '&') return refuse("an intersection of classes (&&)");
      if (c == '[') {
        if (at_ + 1 >= in_.size() || in_[at_ + 1] != ':') return refuse("a class inside a class");
        const size_t end = in_.find(":]", at_);
        if (end == std::string_view::npos) return refuse("an open class name");
        out_.append(in_.substr(at_, end + 2 - at_));
        at_ = end + 2;
      } else if (c == '\\') {
        LAVA_CHECK_OK(class_escape());
      } else {
        out_ += in_[at_++];
      }
    }
    out_ += in_[at_++];
    return {};
  }

  Result<void> class_escape() {
    if (at_ + 1 >= in_.size()) return refuse("a backslash at the end");
    switch (in_[at_ + 1]) {
      case 's':
        out_.append(space_members);
        break;
      case 'S':
        out_.append(not_space_members);
        break;
      case 'w':
        out_.append(word_members);
        break;
      case 'W':
        return refuse("\\W inside a class");
      case 'h':
        out_.append(hex_members);
        break;
      case 'H':
        return refuse("\\H inside a class");
      default:
        return copy_escape();
    }
    at_ += 2;
    return {};
  }

  Result<void> group() {
    open_groups_.push_back(out_.size());
    if (open_groups_.size() > 200) return refuse("more than 200 nested groups");
    if (in_.substr(at_, 2) != "(?") {
      out_ += in_[at_++];
      return {};
    }
    // Options as in (?i: or (?m): Ruby's m lets the dot match a newline, which is s elsewhere.
    size_t i = at_ + 2;
    while (i < in_.size() && (in_[i] == 'i' || in_[i] == 'm' || in_[i] == 'x' || in_[i] == 's' || in_[i] == '-')) ++i;
    if (i > at_ + 2 && i < in_.size() && (in_[i] == ':' || in_[i] == ')')) {
      for (; at_ < i; ++at_) out_ += in_[at_] == 'm' ? 's' : in_[at_];
      return {};
    }
    const char kind = at_ + 2 < in_.size() ? in_[at_ + 2] : '\0';
    const char after = at_ + 3 < in_.size() ? in_[at_ + 3] : '\0';
    const bool known = kind == ':' || kind == '=' || kind == '!' || kind == '>' || (kind == '<' && (after == '=' || after == '!'));
    if (!known) return refuse("a group of the kind " + std::string(in_.substr(at_, 4)));
    const size_t length = kind == '<' ? 4 : 3;
    out_.append(in_.substr(at_, length));
    at_ += length;
    return {};
  }

  // In Oniguruma's Ruby syntax a + after {n,m} repeats the repetition, while PCRE2 makes it possessive.
  Result<void> interval() {
    const size_t end = in_.find('}', at_);
    const auto body = end == std::string_view::npos ? std::string_view() : in_.substr(at_ + 1, end - at_ - 1);
    if (body.empty() || body.find_first_not_of("0123456789,") != std::string_view::npos) {
      atom_ = out_.size();
      out_ += "\\{";
      ++at_;
      return {};
    }
    if (body[0] == ',') {
      out_.append("{0").append(body) += '}';
    } else {
      (out_ += '{').append(body) += '}';
    }
    at_ = end + 1;
    if (at_ < in_.size() && in_[at_] == '+') {
      out_.insert(atom_, "(?:");
      out_ += ')';
    }
    return {};
  }
};

}  // namespace

Result<std::string> to_pcre2(std::string_view pattern) {
  if (pattern.size() > 20000)
    return fail(Error::Kind::too_large, "The tokenizer's split pattern is too long", std::to_string(pattern.size()) + " bytes");
  return Translator(pattern).run();
}

}  // namespace lava::text
