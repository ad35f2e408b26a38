// lavascope-cli: what the window does, without a window.
#include <CLI/CLI.hpp>
#include <QCoreApplication>
#include <limits>

#include "app/cli/commands.h"
#include "app/cli/interrupts.h"
#include "app/cli/terminal.h"
#include "kernels/devices.h"

using namespace lava::app;
using lava::DetectRules;

namespace {

// What CLI11 fills in; texts are bytes as the shell gave them.
struct Parsed {
  std::string question, annotate, words, output, format = "markdown";
  std::vector<std::string> pictures, regions;
  std::string model = "default", mmproj, server, engine, device, gpu_layers;
  int threads = 0, max_tokens = 512;
  double temperature = 0;
  DetectRules detect;
  int64_t seed = 0, chat = 0, resume = 0;
  bool json = false, no_save = false;
};

QString text(const std::string& bytes) { return QString::fromLocal8Bit(bytes.data(), static_cast<qsizetype>(bytes.size())); }

// Ranges let "nan" through.
const CLI::Validator finite([](std::string& word) { return word.find_first_of("nN") == std::string::npos ? std::string() : word + " is no number"; }, "");
const CLI::Validator device_choice(
    [](std::string& word) {
      const auto choice = lava::parse_device(word);
      return choice ? std::string() : choice.error().message();
    },
    "auto|cpu|cuda[:n]|vulkan[:n]");
// The engine's own rule; whether there is a device for the layers it finds out.
const CLI::Validator layer_count(
    [](std::string& word) {
      const bool number = !word.empty() && word.size() < 7 && word.find_first_not_of("0123456789") == std::string::npos;
      return word == "auto" || number ? std::string() : word + " is no number of layers: give one from 0, or auto";
    },
    "N|auto");
const CLI::Range chat_number(int64_t{1}, std::numeric_limits<int64_t>::max());

void add_engine_options(CLI::App& command, Parsed& p) {
  auto* model = command.add_option("--model", p.model, "model file or folder (default: the default model)");
  auto* mmproj = command.add_option("--mmproj", p.mmproj, "projector file of a GGUF model that sees");
  auto* device = command.add_option("--device", p.device, "what computes (default: cpu; \"lavascope-cli devices\" lists all)")->type_name("")->check(device_choice);
  command.add_option("--gpu-layers", p.gpu_layers, "layers of the language model that --device computes; the processor has the others (auto: all that find room)")->check(layer_count);
  command.add_option("--threads", p.threads, "processor threads (0: the engine decides)")->check(CLI::Range(0, 1024));
  auto* engine = command.add_option("--engine", p.engine, "engine program (default: the one beside this program)");
  command.add_option("--server", p.server, "address of a running engine; its token is read from LAVASCOPE_TOKEN")
      ->excludes(model)
      ->excludes(mmproj)
      ->excludes(device)
      ->excludes(engine);
  command.add_option("--max-tokens", p.max_tokens, "longest answer in tokens")->check(CLI::Range(1, 1 << 20))->capture_default_str();
  command.add_option("--temperature", p.temperature, "0: always the likeliest word")->check(CLI::Range(0.0, 2.0))->check(finite)->capture_default_str();
  command.add_option("--seed", p.seed, "makes a random answer repeatable");
  command.add_flag("--no-save", p.no_save, "do not write to the history");
}

void add_detect_options(CLI::App& command, Parsed& p) {
  command.add_option("PICTURE", p.question, "picture file (PNG, JPEG, WebP, GIF, BMP)")->required();
  command.add_option("--annotate", p.annotate, "write the picture with what was found drawn on it (PNG)");
  command.add_flag("--json", p.json, "print one JSON object: width, height, objects with label, box in pixels, score");
  command.add_option("--threshold", p.detect.threshold, "least score, 0 to 1")->check(CLI::Range(0.0, 1.0))->check(finite)->capture_default_str();
  command.add_option("--max", p.detect.max, "most objects")->check(CLI::Range(1, DetectRules::most))->capture_default_str();
  command.add_option("--threads", p.threads, "processor threads (0: one per core)")->check(CLI::Range(0, 1024));
}

EngineChoice choice_of(const Parsed& p) {
  EngineChoice choice;
  choice.server = text(p.server);
  choice.token = qEnvironmentVariable("LAVASCOPE_TOKEN").trimmed();
  choice.options.program = text(p.engine);
  choice.options.model = text(p.model);
  choice.options.mmproj = text(p.mmproj);
  choice.options.device = text(p.device);
  choice.options.gpu_layers = text(p.gpu_layers);
  choice.options.threads = p.threads;
  return choice;
}

AskOptions options_of(const Parsed& p, const CLI::App& command) {
  AskOptions options;
  options.max_tokens = p.max_tokens;
  options.temperature = p.temperature;
  if (command.count("--seed")) options.seed = p.seed;
  return options;
}

// The subcommands of `history` set what is to be done.
void add_history(CLI::App& history, Parsed& p, HistoryArguments& arguments) {
  using Action = HistoryArguments::Action;
  history.add_flag("--json", p.json, "print JSON");
  auto add = [&](const char* name, const char* help, Action action) {
    CLI::App* command = history.add_subcommand(name, help);
    command->callback([&arguments, action] { arguments.action = action; });
    return command;
  };
  auto add_with_chat = [&](const char* name, const char* help, Action action) {
    CLI::App* command = add(name, help, action);
    command->add_option("ID", p.chat, "number of the chat")->required()->check(chat_number);
    return command;
  };
  add("list", "the chats, last changed first (what `history` alone does)", Action::list)->add_flag("--json", p.json, "print JSON");
  add("bin", "deleted chats", Action::bin)->add_flag("--json", p.json, "print JSON");
  add_with_chat("show", "one chat", Action::show)->add_flag("--json", p.json, "print JSON");
  CLI::App* search = add("search", "messages and titles with all the words", Action::search);
  search->add_option("WORDS", p.pictures, "beginnings of words")->required();
  search->add_flag("--json", p.json, "print JSON");
  add_with_chat("delete", "move a chat to the bin", Action::remove);
  add_with_chat("restore", "take a chat out of the bin", Action::restore);
  CLI::App* export_chat = add_with_chat("export", "write a chat as a document", Action::export_chat);
  export_chat->add_option("--format", p.format, "markdown or json")->check(CLI::IsMember({"markdown", "json"}))->capture_default_str();
  export_chat->add_option("-o,--output", p.output, "file to write (default: standard output)");
  history.require_subcommand(0, 1);
}

int run(int argc, char** argv) {
  CLI::App app("Ask about pictures from the command line.", "lavascope-cli");
  app.set_version_flag("--version", std::string("lavascope-cli ") + LAVA_VERSION);
  Parsed p;
  CLI::App* ask = app.add_subcommand("ask", "ask one question about pictures and print the answer");
  ask->add_option("QUESTION", p.question, "the question; - reads it from standard input")->required();
  ask->add_option("PICTURES", p.pictures, "picture files (PNG, JPEG, WebP, GIF, BMP)");
  ask->add_option("--annotate", p.annotate, "write the picture with the places of the answer drawn on it (PNG)");
  ask->add_option("--region", p.regions, "x1,y1,x2,y2: points at a part of the picture, in pixels (repeatable; the question may say [region])")
      ->expected(1)
      ->take_all();
  ask->add_flag("--json", p.json, "print one JSON object: text, boxes in pixels of the picture, timings");
  add_engine_options(*ask, p);
  CLI::App* chat = app.add_subcommand("chat", "talk in the terminal");
  chat->add_option("--resume", p.resume, "number of a chat to go on with (lavascope-cli history)")->check(chat_number);
  add_engine_options(*chat, p);
  CLI::App* detect = app.add_subcommand("detect", "name and place what stands in a picture, without a language model");
  add_detect_options(*detect, p);
  CLI::App* devices = app.add_subcommand("devices", "list what can compute here, for --device");
  devices->add_option("--engine", p.engine, "engine program (default: the one beside this program)");
  devices->add_flag("--json", p.json, "print JSON");
  CLI::App* models = app.add_subcommand("models", "list the models on this computer");
  models->add_flag("--json", p.json, "print JSON");
  CLI::App* get = models->add_subcommand("get", "fetch a model into the model folder");
  get->add_option("NAME", p.model, "its name, or how it begins: smollm2")->required();
  CLI::App* history = app.add_subcommand("history", "list, show, search, delete and export chats");
  HistoryArguments history_arguments;
  add_history(*history, p, history_arguments);
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_done : exit_usage;
  }

  // The other commands are short and end at a signal by themselves.
  if (*ask || *chat) Interrupts::instance();
  if (*ask) {
    QStringList pictures, regions;
    for (const std::string& picture : p.pictures) pictures << text(picture);
    for (const std::string& region : p.regions) regions << text(region);
    return ask_command({choice_of(p), options_of(p, *ask), text(p.question), pictures, text(p.annotate), regions, p.json, !p.no_save});
  }
  if (*chat) return chat_command({choice_of(p), options_of(p, *chat), p.resume, !p.no_save});
  if (*detect) return detect_command({text(p.question), text(p.annotate), p.detect, p.threads, p.json});
  if (*devices) return devices_command(text(p.engine), p.json);
  if (*get) return fetch_command(text(p.model));
  if (*models) return models_command(p.json);
  for (const std::string& word : p.pictures) history_arguments.words += text(word) + ' ';
  history_arguments.chat = p.chat;
  history_arguments.format = text(p.format);
  history_arguments.output = text(p.output);
  history_arguments.json = p.json;
  return history_command(history_arguments);
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  const int code = run(argc, argv);
  const auto written = terminal::output();
  if (written || code != exit_done) return code;
  terminal::complain(written.error());
  return exit_error;
}
