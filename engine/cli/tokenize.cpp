// `lavascope-engine tokenize`: the ids of a text.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/common.h"
#include "engine/core/model_files.h"
#include "engine/text/gguf_vocabulary.h"

namespace lava {
namespace {

struct Options {
  std::string model, text, file;
  bool special = false, json = false;
};

Result<std::string> read_text(const Options& options) {
  if (options.file.empty()) return options.text;
  if (options.file == "-") return std::string{std::istreambuf_iterator<char>(std::cin), {}};
  LAVA_TRY(const auto bytes, cli::read_file(options.file));
  return *bytes;
}

// The bytes of a token as they would stand in a JSON text; bytes that are no UTF-8 as \xNN.
std::string visible(const std::string& bytes) {
  const std::string quoted = nlohmann::json(bytes).dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore);
  std::string out;
  for (const char c : bytes) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return nlohmann::json::parse(quoted) == bytes ? quoted : '"' + out + '"';
}

void print_table(const text::Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  const text::SpecialIds& special = tokenizer.special();
  fmt::print("{}, {} tokens, BOS {}\n{} tokens in the text\n", tokenizer.kind(), tokenizer.size(), special.add_bos ? "on" : "off",
             ids.size());
  for (const int32_t id : ids)
    fmt::print("{:>8}  {}{}\n", id, visible(tokenizer.token_bytes(id, true)), tokenizer.is_control(id) ? "  control" : "");
}

// "default", or the folder of a model.json: the tokenizer of its language model.
Result<std::filesystem::path> tokenizer_path(const std::string& model) {
  if (!has_manifest(model)) return model;
  AssistantOptions options;
  options.model = model;
  LAVA_TRY(const ModelFiles files, find_model_files(options));
  return files.text;
}

Result<void> run(const Options& options) {
  LAVA_TRY(const auto path, tokenizer_path(options.model));
  LAVA_TRY(const auto tokenizer, text::load_tokenizer(path));
  LAVA_TRY(const std::string text, read_text(options));
  LAVA_TRY(const std::vector<int32_t> ids, tokenizer->encode(text, {.parse_special = options.special}));
  if (options.json) {
    fmt::print("{}\n", nlohmann::json{{"ids", ids}}.dump());
  } else {
    print_table(*tokenizer, ids);
  }
  return {};
}

}  // namespace

void add_tokenize_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("tokenize", "Show the token ids of a text");
  auto options = std::make_shared<Options>();
  command->add_option("--model", options->model, "GGUF file, Hugging Face folder, tokenizer.json, tokenizer.model, or \"default\"")->required();
  auto* text = command->add_option("--text", options->text, "The text");
  auto* file = command->add_option("--file", options->file, "File with the text; - reads the standard input");
  text->excludes(file);
  command->add_flag("--special", options->special, "Texts of control tokens become control tokens");
  command->add_flag("--json", options->json, "Print {\"ids\": [...]}");
  command->callback([options, text, file] {
    if (text->empty() && file->empty()) throw CLI::RequiredError("--text or --file");
    if (const auto done = run(*options); !done) {
      fmt::print(stderr, "{}\n", done.error().message());
      throw CLI::RuntimeError(2);
    }
  });
}

}  // namespace lava
