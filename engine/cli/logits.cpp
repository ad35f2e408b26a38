// `lavascope-engine logits`: what one prompt becomes, for comparing with other implementations.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/common.h"
#include "kernels/shadow.h"

namespace lava {
namespace {

struct LogitsOptions {
  cli::ModelOptions model;
  std::vector<std::string> images;
  std::string prompt;
  bool chat = false, shadow = false, json = false;
  int greedy = 0;
};

// The prompt with its pictures as one user turn: a picture stands where its marker stood, pictures without a marker come first.
Request as_turn(const std::string& prompt, const std::vector<std::shared_ptr<const std::string>>& pictures) {
  constexpr std::string_view marker = "<image>";
  ChatMessage message;
  size_t used = 0, at = 0, markers = 0;
  for (size_t found = prompt.find(marker); found != std::string::npos; found = prompt.find(marker, found + 1)) ++markers;
  while (used + markers < pictures.size()) message.parts.push_back({MessagePart::Kind::picture, {}, pictures[used++]});
  for (size_t found = prompt.find(marker); found != std::string::npos && used < pictures.size(); found = prompt.find(marker, at)) {
    if (found > at) message.parts.push_back({MessagePart::Kind::text, prompt.substr(at, found - at), {}});
    message.parts.push_back({MessagePart::Kind::picture, {}, pictures[used++]});
    at = found + marker.size();
    if (at < prompt.size() && prompt[at] == '\n') ++at;  // the chat format writes what follows a picture
  }
  message.parts.push_back({MessagePart::Kind::text, prompt.substr(at), {}});
  Request request;
  request.messages.push_back(std::move(message));
  request.raw_pictures = pictures;
  return request;
}

Request make_request(const LogitsOptions& options) {
  std::vector<std::shared_ptr<const std::string>> pictures;
  for (const std::string& image : options.images) pictures.push_back(cli::or_leave(cli::read_file(image)));
  if (options.chat) return as_turn(options.prompt, pictures);
  Request request;
  request.raw_prompt = options.prompt;
  request.raw_pictures = std::move(pictures);
  return request;
}

void print(const Probe& probe) {
  nlohmann::json out;
  out["prompt_ids"] = probe.prompt_ids;
  out["image_tokens"] = probe.image_tokens;
  out["views"] = nlohmann::json::array();
  for (const Probe::ViewReport& view : probe.views) out["views"].push_back({{"w", view.width}, {"h", view.height}, {"mean", view.mean}});
  out["top"] = nlohmann::json::array();
  for (const auto& [id, logit] : probe.top) out["top"].push_back({id, logit});
  out["greedy_ids"] = probe.greedy;
  std::puts(out.dump().c_str());
}

void run(const LogitsOptions& options) {
  const OpenedDevice opened = cli::or_leave(cli::open_chosen_device(options.model.device, options.model.cpu));
  if (options.shadow && opened.module) cli::leave({Error::Kind::unsupported, "The reference runs beside the processor only", "", "Leave out --shadow, or --device"});
  const auto shadow = options.shadow ? make_shadow_device(*opened.cpu) : nullptr;
  AssistantOptions wanted = options.model.assistant;
  wanted.on_notice = cli::tell_notice;
  const auto assistant = cli::or_leave(Assistant::load(shadow ? Devices(*shadow) : opened.devices(), wanted));
  print(cli::or_leave(assistant->probe(make_request(options), options.greedy)));
  if (!shadow) return;
  const Difference& difference = shadow->first();
  if (difference.op.empty()) {
    std::fprintf(stderr, "shadow: every op agrees with its reference\n");
  } else {
    std::fprintf(stderr, "shadow: call %lld, %s, differs from its reference: NMSE %g, largest difference %g\n",
                 static_cast<long long>(difference.call), difference.op.c_str(), difference.nmse, difference.max_abs);
  }
}

}  // namespace

void add_logits_command(CLI::App& app) {
  auto options = std::make_shared<LogitsOptions>();
  CLI::App* command = app.add_subcommand("logits", "Print token ids, views, the best logits and greedy tokens of a prompt");
  cli::add_model_options(*command, options->model, true);
  command->add_option("--image", options->images, "Picture file; may be repeated")->check(CLI::ExistingFile);
  command->add_option("--prompt", options->prompt, "Text with <image> where the pictures stand")->required();
  command->add_flag("--chat", options->chat, "Wrap the prompt as a user turn");
  command->add_option("--greedy", options->greedy, "Greedy tokens to add")->check(CLI::Range(0, 1 << 20));
  command->add_flag("--shadow", options->shadow, "Compare every op with its reference");
  command->add_flag("--json", options->json, "Print JSON (the only form)");
  command->callback([options] { run(*options); });
}

}  // namespace lava
