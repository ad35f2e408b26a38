#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <thread>

#include "engine/cli/commands.h"
#include "engine/cli/common.h"
#include "engine/server/assistant_answerer.h"
#include "engine/server/exit_codes.h"

namespace lava {
namespace {

struct ServeSettings {
  server::ServerOptions server;
  server::ModelChoice model;
  int max_body_mb = 64;
  std::string control;
  std::vector<std::string> hosts;  // further names
};

int fail_with(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message().c_str());
  return 1;
}

// The window hands token and port over as one JSON line, so that they stand in no process list.
Result<void> read_control_line(ServeSettings& settings) {
  std::string line;
  for (char c; line.size() < 65536 && read(STDIN_FILENO, &c, 1) == 1 && c != '\n';) line += c;
  const auto json = server::Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("token") || !json["token"].is_string() || json["token"].get_ref<const std::string&>().size() < 8)
    return fail(Error::Kind::invalid, "The control line on standard input cannot be used", "", "It must be {\"token\":\"...\",\"port\":0} with a token of at least 8 bytes");
  settings.server.access.token = json["token"].get<std::string>();
  if (!json.contains("port")) return {};
  if (!json["port"].is_number_unsigned() || json["port"].get<uint64_t>() > 65535)
    return fail(Error::Kind::invalid, "The control line on standard input cannot be used", "its port is none", "Give a number from 0 to 65535; 0 picks a free port");
  settings.server.port = json["port"].get<int>();
  return {};
}

// A file that only this user can read; returns its path.
Result<std::string> write_token_file(const std::string& token) {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  std::string path = std::string(runtime && *runtime ? runtime : "/tmp") + "/lavascope-token-XXXXXX";
  const int file = mkstemp(path.data());
  if (file < 0) return fail(Error::Kind::io, "The token file cannot be written", path, "Set LAVASCOPE_TOKEN instead");
  const bool written = write(file, token.data(), token.size()) == static_cast<ssize_t>(token.size());
  close(file);
  if (!written) return fail(Error::Kind::io, "The token file cannot be written", path, "Set LAVASCOPE_TOKEN instead");
  return path;
}

// The threads that watch or hold idle connections still wait; nothing of theirs is left to clean up.
[[noreturn]] void leave(const std::string& token_file, int code = 0) {
  if (!token_file.empty()) unlink(token_file.c_str());
  std::fflush(nullptr);
  _exit(code);
}

// A process does not get its device back; the error of the request goes out first.
void leave_soon(const std::string& token_file) {
  std::thread([token_file] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    leave(token_file, server::exit_device_lost);
  }).detach();
}

// Waits on a thread of its own for the end: a signal, or the window closing its end of the pipe.
void watch_for_end(server::Server& server, const sigset_t& signals, bool control, const std::string& token_file) {
  std::thread([&server, signals, token_file] {
    int number = 0;
    sigwait(&signals, &number);
    // A load that takes long is not waited for.
    std::thread([token_file] {
      std::this_thread::sleep_for(std::chrono::seconds(5));
      leave(token_file);
    }).detach();
    server.stop("The engine was stopped");
    // Last words are on their way; a connection that idles would hold run() for seconds.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    leave(token_file);
  }).detach();
  if (!control) return;
  std::thread([] {
    char buffer[256];
    while (true) {
      const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
      if (n == 0 || (n < 0 && errno != EINTR)) break;
    }
    kill(getpid(), SIGTERM);
  }).detach();
}

int serve(ServeSettings settings) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  server::Json announcement;
  std::string token_file;
  const char* token = std::getenv("LAVASCOPE_TOKEN");
  if (settings.control == "stdin") {
    if (auto ok = read_control_line(settings); !ok) return fail_with(ok.error());
  } else if (token && *token) {
    settings.server.access.token = token;
  } else {
    settings.server.access.token = server::make_token();
    auto path = write_token_file(settings.server.access.token);
    if (!path) return fail_with(path.error());
    token_file = *path;
  }
  unsetenv("LAVASCOPE_TOKEN");
  settings.server.limits.max_body = static_cast<size_t>(settings.max_body_mb) << 20;
  if (settings.server.host != "127.0.0.1") add_host(settings.server.access, settings.server.host);
  for (const std::string& host : settings.hosts) add_host(settings.server.access, host);

  auto choice = settings.model;
  choice.assistant.on_notice = cli::tell_notice;
  choice.trust = own_trust_rules();
  choice.on_device_lost = [token_file] { leave_soon(token_file); };
  server::Server server(settings.server, [choice](const server::Progress& progress) { return server::make_assistant_answerer(choice, progress); });
  const auto port = server.bind();
  if (!port) return fail_with(port.error());
  announcement["listening"] = "http://" + settings.server.host + ":" + std::to_string(*port);
  if (!token_file.empty()) announcement["token_file"] = token_file;
  std::printf("%s\n", server::dump(announcement).c_str());
  std::fflush(stdout);
  watch_for_end(server, signals, settings.control == "stdin", token_file);
  server.run();
  leave(token_file);
}

}  // namespace

void add_serve_command(CLI::App& app) {
  auto* command = app.add_subcommand("serve", "Answer questions over HTTP (OpenAI-compatible, see docs/api.md)");
  auto settings = std::make_shared<ServeSettings>();
  auto& server = settings->server;
  auto& model = settings->model.assistant;
  command->add_option("--model", model.model, "GGUF file, Hugging Face folder, or \"default\"")->capture_default_str();
  command->add_option("--mmproj", model.mmproj, "projector file of a GGUF model; looked for beside it when absent");
  command->add_option("--adapter", model.adapters, "PEFT LoRA folder (repeatable)");
  command->add_option("--context", model.context, "tokens that prompt and answer may have together")->check(CLI::Range(16, 1 << 20));
  command->add_flag("--exact", model.exact, "float32 arithmetic everywhere");
  cli::add_vision_precision(*command, model.vision);
  cli::add_kv_choice(*command, model.kv);
  cli::add_device(*command, settings->model.device);
  cli::add_gpu_layers(*command, model.gpu_layers, settings->model.device);
  command->add_option("--threads", settings->model.cpu.threads, "0: one per core")->check(CLI::Range(0, 1024));
  command->add_option("--host", server.host, "address to listen on; 0.0.0.0: every one that this machine has")->capture_default_str();
  command->add_option("--allow-host", settings->hosts, "name under which the server may be reached besides --host (repeatable)");
  command->add_option("--port", server.port, "0 picks a free one")->check(CLI::Range(0, 65535));
  command->add_option("--queue", server.queue, "requests that may wait")->capture_default_str()->check(CLI::Range(0, 1000));
  command->add_option("--max-tokens", server.limits.max_tokens, "ceiling of one answer")->capture_default_str()->check(CLI::Range(1, 1 << 20));
  command->add_option("--allow-origin", server.access.origins, "web origin that may use the server (repeatable)");
  command->add_option("--max-body-mb", settings->max_body_mb)->capture_default_str()->check(CLI::Range(1, 4096));
  command->add_option("--max-pixels", server.limits.max_pixels)->capture_default_str()->check(CLI::Range(int64_t{1}, int64_t{1} << 32));
  command->add_option("--control", settings->control, "\"stdin\": token and port come as one JSON line; ends with that pipe")->check(CLI::IsMember({"stdin"}));
  command->callback([settings] { throw CLI::RuntimeError(serve(*settings)); });
}

}  // namespace lava
