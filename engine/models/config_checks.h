// Checks and messages that both kinds of configuration share.
#pragma once
#include <optional>
#include <string_view>

#include "engine/models/text_config.h"

namespace lava {

tl::unexpected<Error> unknown_model(std::string_view type);
tl::unexpected<Error> unsupported_rope(std::string_view type);
tl::unexpected<Error> contradiction(std::string cause);
// Stated, or width / heads; then the heads are checked together.
Result<void> set_head_dim(TextConfig& config, std::optional<int64_t> stated);

}  // namespace lava
