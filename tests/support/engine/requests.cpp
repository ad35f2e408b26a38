#include "tests/support/engine/requests.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/engine/goldens.h"
#include "tests/support/engine/sealed_device.h"

namespace lava::test {

Encoded picture_file(const std::string& fixture_path) {
  std::ifstream file(fixture(fixture_path), std::ios::binary);
  EXPECT_TRUE(file.good()) << fixture_path;
  return std::make_shared<const std::string>(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

MessagePart text_part(std::string text) { return {MessagePart::Kind::text, std::move(text), nullptr}; }
MessagePart picture_part(Encoded picture) { return {MessagePart::Kind::picture, {}, std::move(picture)}; }

Request chat(std::vector<MessagePart> parts, int max_tokens) {
  Request request;
  request.max_tokens = max_tokens;
  add_turn(request, ChatMessage::Role::user, std::move(parts));
  return request;
}

void add_turn(Request& request, ChatMessage::Role role, std::vector<MessagePart> parts) {
  request.messages.push_back({role, std::move(parts)});
}

Loaded load_assistant(const AssistantOptions& options) {
  Loaded loaded;
  auto cpu = make_cpu_device({.threads = 2, .pin = false});
  EXPECT_TRUE(cpu) << cpu.error().message();
  loaded.cpu = std::move(*cpu);
  auto device = make_test_device(2);
  EXPECT_TRUE(device) << device.error().message();
  if (!device) return loaded;
  loaded.device = std::move(*device);
  const bool both = loaded.device->info().host_memory;
  auto assistant = Assistant::load({*loaded.device, both ? *loaded.device : *loaded.cpu}, options);
  EXPECT_TRUE(assistant) << assistant.error().message();
  if (assistant) loaded.assistant = std::move(*assistant);
  return loaded;
}

}  // namespace lava::test
