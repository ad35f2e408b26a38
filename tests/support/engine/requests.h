// Requests and assistants for tests.
#pragma once
#include <memory>
#include <string>

#include "engine/core/assistant.h"

namespace lava::test {

using Encoded = std::shared_ptr<const std::string>;

Encoded picture_file(const std::string& fixture_path);
MessagePart text_part(std::string text);
MessagePart picture_part(Encoded picture);
Request chat(std::vector<MessagePart> parts, int max_tokens = 16);
void add_turn(Request& request, ChatMessage::Role role, std::vector<MessagePart> parts);

// Devices and the assistant on them; fails the test when the model does not load.
struct Loaded {
  std::unique_ptr<Device> cpu, device;
  std::unique_ptr<Assistant> assistant;
  Assistant* operator->() const { return assistant.get(); }
};
// On the processor, or on what LAVA_TEST_DEVICE names.
Loaded load_assistant(const AssistantOptions& options);

}  // namespace lava::test
