// How a text speaks of regions of its pictures: `[region]` or `[region 2]`, which the model must read as the marks that they got.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "engine/core/prompt.h"

namespace lava {

bool mentions_region(std::string_view text);
// marks[i]: of region i + 1. A region that does not exist stays as it is written.
std::string with_region_marks(std::string_view text, std::span<const int> marks);
// Appends the marks of those objects that the user pointed at.
void add_region_marks(const PictureRows& rows, std::vector<int>& marks);

}  // namespace lava
