// Places in the messages of a conversation as the model that points at marks was trained to read them: `[region]` and `[region 2]` in the
// user's words, and the boxes that stood for marks in its own earlier answers.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/assistant.h"
#include "engine/core/prompt.h"

namespace lava {

// Whether any text would change, for pictures with or without objects.
bool speaks_of_places(const Request& request);
// The request with marks. pictures: all of the messages, in their order. Mentions mean the regions of the same message, or of the last one
// before it that has any; boxes of an answer the objects of the last picture before it.
Request with_marks(const Request& request, std::span<const std::shared_ptr<const PictureRows>> pictures);

// marks[i]: of region i + 1. A region that does not exist stays as it is written.
std::string with_region_marks(std::string_view text, std::span<const int> marks);

}  // namespace lava
