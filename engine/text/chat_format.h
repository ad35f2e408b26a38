// How the turns of a conversation are written for a model.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/prompt_encoder.h"
#include "kernels/result.h"

namespace lava::text {

enum class Role { system, user, assistant };

struct ContentPart {
  std::string text;
  bool picture = false;  // then `text` is empty
};

struct Turn {
  Role role = Role::user;
  std::vector<ContentPart> parts;
};

struct ChatFormat {
  enum class SystemPlace { turn, inside_first_user };
  enum class Pictures { marker_and_newline, marker_only, all_first };  // all_first: every picture, a newline, then the text

  std::string_view name;
  std::string_view default_system = {};  // when the conversation has no system turn; may be empty
  SystemPlace system_place = SystemPlace::turn;
  std::string_view system_before = {}, system_after = {};
  std::string_view first_user_before = {}, user_before = {}, user_after = {};
  std::string_view assistant_before = {}, assistant_after = {};
  std::string_view opening = {};  // what stands before the answer to come
  Pictures pictures = Pictures::marker_and_newline;
  bool writes_bos = false;                          // the prompt begins with the text of BOS, whether or not the vocabulary adds it
  bool trims = false;                               // white space around a turn's text is dropped
  std::vector<std::string_view> stop_tokens = {};   // token texts that end an answer, beside the vocabulary's own
  std::vector<std::string_view> stop_strings = {};  // texts that end an answer
};

const ChatFormat* find_chat_format(std::string_view name);  // nullptr: no such format
std::vector<std::string_view> chat_format_names();

struct ChatHints {
  std::string chat_template;   // Jinja text of the model, may be empty
  std::string model_name;      // general.name, folder or file name
  std::string architecture;    // "llama", "mistral", "qwen2", ... of the language model
  bool has_projector = false;  // a model of the LLaVA family: its own table goes before the file's template
};

Result<const ChatFormat*> detect_chat_format(const ChatHints& hints);

// The conversation up to the place where the answer begins. What users wrote never becomes a control token. `bos_text` is the text of
// the vocabulary's BOS token, empty when it has none.
std::vector<Segment> render_chat(const ChatFormat& format, std::span<const Turn> turns, std::string_view bos_text = {});

// render_chat and encode_prompt in one.
Result<std::vector<PromptPiece>> encode_chat(const Tokenizer& tokenizer, const ChatFormat& format, std::span<const Turn> turns);
// Ids that end an answer in this format: the vocabulary's and the format's own. Sorted.
std::vector<int32_t> stop_ids(const Tokenizer& tokenizer, const ChatFormat& format);

}  // namespace lava::text
