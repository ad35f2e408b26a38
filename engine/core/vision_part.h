// Partitioner, tower and connector of one model as one thing: picture -> rows.
#pragma once
#include <memory>

#include "engine/connectors/connector.h"
#include "engine/encoders/vision_encoder.h"
#include "engine/partition/partitioner.h"

namespace lava {

struct VisionPart {
  std::unique_ptr<Partitioner> partitioner;
  std::unique_ptr<VisionEncoder> encoder;
  std::unique_ptr<Connector> connector;
  std::string name;      // "clip-vit 24 x 1024, 336 px, mlp2x"
  std::string cache_id;  // tower, connector and settings that change the rows

  // Views that the model would see and what they cost, from the size alone.
  Result<std::pair<std::vector<View>, ConnectorPlan>> plan(Size image, int pictures_in_prompt) const;
  // `content_key`: SHA-256 of the picture's bytes.
  Result<PictureRows> encode(Run&, const media::Picture&, int pictures_in_prompt, const std::string& content_key) const;
  // Bytes of arena that encode() needs at most.
  Result<size_t> arena_bytes() const;
};

}  // namespace lava
