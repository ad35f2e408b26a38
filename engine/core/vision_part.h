// Partitioner, tower and connector of one model as one thing: picture -> rows.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/connectors/connector.h"
#include "engine/core/weights.h"
#include "engine/encoders/vision_encoder.h"
#include "engine/io/tensor_source.h"
#include "engine/partition/partitioner.h"

namespace lava {

// A picture of a prompt by its content, and what the user points at in it.
struct PictureRequest {
  std::string content_key;  // SHA-256 of the picture's bytes
  std::vector<Box> places;  // on the padded square
};

struct VisionPart {
  std::vector<std::unique_ptr<io::TensorSource>> sources;  // weights may lie in the mapped files
  std::unique_ptr<Weights> weights;
  std::unique_ptr<Partitioner> partitioner;
  std::unique_ptr<VisionEncoder> encoder;
  std::unique_ptr<Connector> connector;
  std::vector<Size> largest;  // picture sizes that lead to the most views, for sizing
  std::string name;      // "clip 23 x 1024, 336 px, mlp2x"
  std::string cache_id;  // tower, connector and settings that change the rows

  // Views that the model would see and what they cost, from the size alone.
  Result<std::pair<std::vector<View>, ConnectorPlan>> plan(Size image, int pictures_in_prompt) const;
  // What the rows of a picture are kept under; the same for every number of pictures in the prompt that leads to the same views.
  Result<std::string> key(Size image, int pictures_in_prompt, const PictureRequest&) const;
  Result<PictureRows> encode(Run&, const media::Picture&, int pictures_in_prompt, const PictureRequest&) const;
  // Bytes of arena that encode() needs at most.
  Result<size_t> arena_bytes() const;
};

}  // namespace lava
