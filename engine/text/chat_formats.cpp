#include <algorithm>
#include <array>

#include "engine/text/chat_format.h"

namespace lava::text {

namespace {

using Place = ChatFormat::SystemPlace;
using Pictures = ChatFormat::Pictures;

constexpr std::string_view llava_system =
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user provides, and assist "
    "the user with a variety of tasks using natural language.";

ChatFormat vicuna(std::string_view name, std::string_view system) {
  return {.name = name,
          .default_system = system,
          .system_after = " ",
          .user_before = "USER: ",
          .user_after = " ",
          .assistant_before = "ASSISTANT: ",
          .assistant_after = "</s>",
          .opening = "ASSISTANT:",
          .stop_tokens = {"</s>"}};
}

ChatFormat chatml(std::string_view name, std::string_view system) {
  return {.name = name,
          .default_system = system,
          .system_before = "<|im_start|>system\n",
          .system_after = "<|im_end|>\n",
          .user_before = "<|im_start|>user\n",
          .user_after = "<|im_end|>\n",
          .assistant_before = "<|im_start|>assistant\n",
          .assistant_after = "<|im_end|>\n",
          .opening = "<|im_start|>assistant\n",
          .stop_tokens = {"<|im_end|>"}};
}

ChatFormat llama3(std::string_view name, std::string_view system) {
  return {.name = name,
          .default_system = system,
          .system_before = "<|start_header_id|>system<|end_header_id|>\n\n",
          .system_after = "<|eot_id|>",
          .user_before = "<|start_header_id|>user<|end_header_id|>\n\n",
          .user_after = "<|eot_id|>",
          .assistant_before = "<|start_header_id|>assistant<|end_header_id|>\n\n",
          .assistant_after = "<|eot_id|>",
          .opening = "<|start_header_id|>assistant<|end_header_id|>\n\n",
          .writes_bos = true,
          .trims = true,
          .stop_tokens = {"<|eot_id|>"}};
}

// Meta's form; LLaVA writes no BOS itself.
ChatFormat llama2(std::string_view name, std::string_view system, bool writes_bos) {
  return {.name = name,
          .default_system = system,
          .system_place = Place::inside_first_user,
          .system_before = "<<SYS>>\n",
          .system_after = "\n<</SYS>>\n\n",
          .first_user_before = "[INST] ",
          .user_before = "<s>[INST] ",
          .user_after = " [/INST]",
          .assistant_before = " ",
          .assistant_after = " </s>",
          .writes_bos = writes_bos,
          .trims = writes_bos,
          .stop_tokens = {"</s>"}};
}

ChatFormat mistral(std::string_view name, std::string_view user_before, std::string_view user_after, std::string_view assistant_before,
                   std::string_view assistant_after, bool writes_bos) {
  return {.name = name,
          .system_place = Place::inside_first_user,
          .system_after = "\n\n",
          .user_before = user_before,
          .user_after = user_after,
          .assistant_before = assistant_before,
          .assistant_after = assistant_after,
          .writes_bos = writes_bos,
          .stop_tokens = {"</s>"}};
}

ChatFormat chatml_direct() {
  ChatFormat format = chatml("chatml_direct", "Answer the questions.");
  format.system_after = format.user_after = format.assistant_after = "<|im_end|>";
  return format;
}

// As the published OneVision folders of transformers write it: a space after the role, no newline between turns.
ChatFormat onevision() {
  return {.name = "onevision",
          .system_before = "<|im_start|>system \n",
          .system_after = "<|im_end|>",
          .user_before = "<|im_start|>user ",
          .user_after = "<|im_end|>",
          .assistant_before = "<|im_start|>assistant ",
          .assistant_after = "<|im_end|>",
          .opening = "<|im_start|>assistant\n",
          .pictures = Pictures::all_first,
          .stop_tokens = {"<|im_end|>"}};
}

ChatFormat by_role(std::string_view name, std::string_view system, std::string_view user, std::string_view assistant, std::string_view end,
                   std::string_view stop) {
  return {.name = name,
          .system_before = system,
          .system_after = end,
          .user_before = user,
          .user_after = end,
          .assistant_before = assistant,
          .assistant_after = end,
          .opening = assistant,
          .stop_tokens = {stop}};
}

ChatFormat gemma() {
  return {.name = "gemma",
          .system_place = Place::inside_first_user,
          .system_after = "\n\n",
          .user_before = "<start_of_turn>user\n",
          .user_after = "<end_of_turn>\n",
          .assistant_before = "<start_of_turn>model\n",
          .assistant_after = "<end_of_turn>\n",
          .opening = "<start_of_turn>model\n",
          .writes_bos = true,
          .trims = true,
          .stop_tokens = {"<end_of_turn>"}};
}

ChatFormat plain_vicuna() {
  return {.name = "vicuna",
          .system_after = "\n\n",
          .user_before = "USER: ",
          .user_after = "\n",
          .assistant_before = "ASSISTANT: ",
          .assistant_after = "</s>\n",
          .opening = "ASSISTANT:",
          .stop_tokens = {"</s>"}};
}

ChatFormat plain() { return {.name = "plain", .pictures = Pictures::marker_only, .stop_strings = {"\n"}}; }

const std::vector<ChatFormat>& formats() {
  static const std::vector<ChatFormat> table = {
      vicuna("vicuna_v1",
             "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite "
             "answers to the user's questions."),
      vicuna("llava_v1",
             "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite "
             "answers to the human's questions."),
      llama2("llava_llama_2", llava_system, false),
      llama3("llava_llama_3", llava_system),
      mistral("mistral_instruct", "[INST] ", " [/INST]", " ", " </s>", false),
      chatml_direct(),
      chatml("qwen_1_5", "You are a helpful assistant."),
      chatml("qwen_2_5", "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
      onevision(),
      plain(),
      chatml("chatml", ""),
      chatml("smollm2", "You are a helpful AI assistant named SmolLM, trained by Hugging Face"),
      llama2("llama-2", "", true),
      llama3("llama-3", ""),
      mistral("mistral-v1", " [INST] ", " [/INST]", " ", "</s>", true),
      mistral("mistral-v3", "[INST] ", "[/INST]", " ", "</s>", true),
      mistral("mistral-v3-tekken", "[INST]", "[/INST]", "", "</s>", true),
      plain_vicuna(),
      by_role("phi3", "<|system|>\n", "<|user|>\n", "<|assistant|>\n", "<|end|>\n", "<|end|>"),
      by_role("phi4", "<|im_start|>system<|im_sep|>", "<|im_start|>user<|im_sep|>", "<|im_start|>assistant<|im_sep|>", "<|im_end|>",
              "<|im_end|>"),
      by_role("zephyr", "<|system|>\n", "<|user|>\n", "<|assistant|>\n", "<|endoftext|>\n", "<|endoftext|>"),
      gemma(),
  };
  return table;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// Default system turns differ between models that share a template's form; the template spells them out.
std::string_view chatml_kind(std::string_view text) {
  if (has(text, "named SmolLM")) return "smollm2";
  if (has(text, "You are Qwen, created by Alibaba Cloud")) return "qwen_2_5";
  if (has(text, "system\\nYou are a helpful assistant") || has(text, "system\nYou are a helpful assistant")) return "qwen_1_5";
  return "chatml";
}

// Distinguishing marks, in llama.cpp's order. Empty: unknown; names without an entry in formats() are known but not written.
std::string_view by_template(std::string_view text) {
  if (has(text, "<|im_start|>")) return has(text, "<|im_sep|>") ? "phi4" : has(text, "<end_of_utterance>") ? "smolvlm" : chatml_kind(text);
  if (has(text, "[INST]")) {
    if (has(text, "[SYSTEM_PROMPT]")) return "mistral-v7";
    if (has(text, "' [INST] ' + system_message")) return "mistral-v1";
    if (has(text, "[AVAILABLE_TOOLS]"))
      return has(text, " [INST] ") ? "mistral-v1" : has(text, "\"[INST]\"") ? "mistral-v3-tekken" : "mistral-v3";
    return "llama-2";
  }
  if (has(text, "<|assistant|>") && has(text, "<|end|>")) return "phi3";
  if (has(text, "<|user|>") && has(text, "<|endoftext|>")) return "zephyr";
  if (has(text, "<start_of_turn>")) return "gemma";
  if (has(text, "USER: ") && has(text, "ASSISTANT: ")) return "vicuna";
  if (has(text, "<|start_header_id|>")) return "llama-3";
  return {};
}

// Models of the LLaVA family, by name first and by their language model second.
std::string_view for_llava(const ChatHints& hints) {
  const std::string name = lower(hints.model_name), architecture = lower(hints.architecture);
  if (has(name, "llama-2") || has(name, "llama2")) return "llava_llama_2";
  if (has(name, "llama-3") || has(name, "llama3")) return "llava_llama_3";
  if (has(name, "v1.6-34b") || has(name, "1.6-yi-34b")) return "chatml_direct";
  if (has(name, "qwen") || has(name, "onevision") || architecture == "qwen2") return has(name, "qwen2.5") ? "qwen_2_5" : "qwen_1_5";
  if (has(name, "mistral") || architecture == "mistral") return "mistral_instruct";
  const std::string_view written = by_template(hints.chat_template);
  if (written == "llama-2") return has(hints.chat_template, "<<SYS>>") ? "llava_llama_2" : "mistral_instruct";
  if (written == "mistral-v1" || written == "mistral-v3") return "mistral_instruct";
  if (written == "llama-3") return "llava_llama_3";
  if (written == "chatml" || written == "qwen_1_5" || written == "qwen_2_5" || written == "smollm2") return written;
  return written == "phi3" || written == "gemma" || written == "phi4" ? written : "vicuna_v1";
}

}  // namespace

const ChatFormat* find_chat_format(std::string_view name) {
  const auto found = std::find_if(formats().begin(), formats().end(), [&](const ChatFormat& format) { return format.name == name; });
  return found == formats().end() ? nullptr : &*found;
}

std::vector<std::string_view> chat_format_names() {
  std::vector<std::string_view> names;
  for (const ChatFormat& format : formats()) names.push_back(format.name);
  return names;
}

Result<const ChatFormat*> detect_chat_format(const ChatHints& hints) {
  const std::string_view name = hints.has_projector           ? for_llava(hints)
                                : hints.chat_template.empty() ? "plain"
                                                              : by_template(hints.chat_template);
  if (const ChatFormat* format = find_chat_format(name)) return format;
  std::string known;
  for (const std::string_view other : chat_format_names()) (known += known.empty() ? "" : ", ") += other;
  return fail(Error::Kind::unsupported, "The model's way of writing conversations is not known",
              name.empty() ? "its chat template has none of the known marks" : "its chat template is of the kind " + std::string(name),
              "Choose one of the known formats: " + known);
}

}  // namespace lava::text
