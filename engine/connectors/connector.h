// Features of the views -> rows at the width of the language model. One file per method.
#pragma once
#include <memory>
#include <span>

#include "engine/core/prompt.h"
#include "engine/encoders/vision_encoder.h"

namespace lava {

struct ConnectorPlan {
  int rows = 0;              // known before running; an upper bound when `exact` is false
  bool exact = true;
  std::vector<RowInfo> info;  // one per row when exact
};

class Connector {
 public:
  virtual ~Connector() = default;
  virtual Signals needs() const { return {}; }
  virtual int width() const = 0;
  virtual ConnectorPlan plan(std::span<const View> views, Size image, int pictures_in_prompt) const = 0;
  virtual Result<PictureRows> fill(Run&, std::span<const View> views, Size image, int pictures_in_prompt, const Features&) = 0;
};

}  // namespace lava
