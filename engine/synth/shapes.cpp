#include "engine/synth/shapes.h"

#include <algorithm>

#include "engine/encoders/towers.h"
#include "engine/io/names.h"

namespace lava::synth {
namespace {

struct Sizes {
  int width, layers, heads, kv_heads, feed_forward, vocabulary, context;
  double rope_base = 1e4;
};

TextShape llama(const Sizes& s) {
  TextShape shape;
  TextConfig& c = shape.config;
  c.family = "llama";
  c.width = s.width, c.layers = s.layers, c.heads = s.heads, c.kv_heads = s.kv_heads, c.head_dim = s.width / s.heads;
  c.feed_forward = s.feed_forward, c.vocabulary = s.vocabulary, c.context = s.context, c.rope_base = s.rope_base;
  c.eps = 1e-5f;
  return shape;
}

TextShape smollm(const Sizes& s) {
  TextShape shape = llama(s);
  shape.tied = true, shape.vocabulary = Vocabulary::byte_pairs, shape.split = "smollm";
  return shape;
}

TextShape llama3(const Sizes& s) {
  TextShape shape = llama(s);
  shape.vocabulary = Vocabulary::byte_pairs, shape.split = "llama-bpe";
  return shape;
}

TextShape qwen2(const Sizes& s, bool tied) {
  TextShape shape = llama(s);
  shape.config.family = "qwen2", shape.config.qkv_bias = true, shape.config.eps = 1e-6f;
  shape.tied = tied, shape.vocabulary = Vocabulary::byte_pairs, shape.split = "qwen2";
  return shape;
}

// LLaVA reads the last hidden state but one: converters leave the last block of CLIP out.
VisionShape clip(std::string_view checkpoint, int text_width) {
  VisionShape shape{*clip_named(checkpoint), text_width};
  --shape.tower.layers;
  return shape;
}

std::vector<Shape> all_shapes() {
  const auto text = [](std::string_view name, std::string_view title, std::string_view description, TextShape shape, std::string_view partner = {}) {
    return Shape{name, title, description, std::move(shape), std::nullopt, partner};
  };
  const auto vision = [](std::string_view name, std::string_view title, std::string_view description, VisionShape shape) {
    return Shape{name, title, description, std::nullopt, std::move(shape)};
  };
  return {
      text("smollm2-135m", "SmolLM2 135M", "30 layers of 576, 9 heads on 3, tied", smollm({576, 30, 9, 3, 1536, 49152, 8192, 1e5})),
      text("smollm2-360m", "SmolLM2 360M", "32 layers of 960, 15 heads on 5, tied", smollm({960, 32, 15, 5, 2560, 49152, 8192, 1e5})),
      text("smollm2-1.7b", "SmolLM2 1.7B", "24 layers of 2048, 32 heads, tied", smollm({2048, 24, 32, 32, 8192, 49152, 8192, 1.3e5})),
      text("tinyllama-1.1b", "TinyLlama 1.1B", "22 layers of 2048, 32 heads on 4", llama({2048, 22, 32, 4, 5632, 32000, 2048})),
      text("qwen2-0.5b", "Qwen2 0.5B", "24 layers of 896, 14 heads on 2, biases, tied; LLaVA-OneVision 0.5B", qwen2({896, 24, 14, 2, 4864, 151936, 32768, 1e6}, true),
           "siglip-so400m-384"),
      text("qwen2-7b", "Qwen2 7B", "28 layers of 3584, 28 heads on 4, biases; LLaVA-OneVision 7B", qwen2({3584, 28, 28, 4, 18944, 152064, 32768, 1e6}, false),
           "siglip-so400m-384"),
      text("llava-1.5-7b", "LLaVA 1.5 7B", "the language model (Vicuna): 32 layers of 4096, 32 heads", llama({4096, 32, 32, 32, 11008, 32000, 4096}), "clip-l-336"),
      text("llava-1.5-13b", "LLaVA 1.5 13B", "the language model (Vicuna): 40 layers of 5120, 40 heads", llama({5120, 40, 40, 40, 13824, 32000, 4096}), "clip-l-336"),
      text("mistral-7b", "Mistral 7B", "32 layers of 4096, 32 heads on 8; LLaVA-NeXT 7B", llama({4096, 32, 32, 8, 14336, 32000, 32768, 1e6}), "clip-l-336"),
      text("llama-3-8b", "Llama 3 8B", "32 layers of 4096, 32 heads on 8, large vocabulary", llama3({4096, 32, 32, 8, 14336, 128256, 8192, 5e5})),
      vision("clip-l-336", "CLIP ViT-L/14 336", "23 of 24 layers of 1024, 24 x 24 patches, and the projector of LLaVA-1.5", clip("clip-vit-large-patch14-336", 4096)),
      vision("clip-l-224", "CLIP ViT-L/14", "23 of 24 layers of 1024, 16 x 16 patches, and a projector", clip("clip-vit-large-patch14", 4096)),
      vision("clip-b-32", "CLIP ViT-B/32", "11 of 12 layers of 768, 7 x 7 patches, and a projector", clip("clip-vit-base-patch32", 4096)),
      vision("siglip-so400m-384", "SigLIP So400m/14 384", "26 of 27 layers of 1152, 27 x 27 patches, and the projector of LLaVA-OneVision",
             VisionShape{*siglip_named("siglip-so400m-patch14-384"), 3584}),
  };
}

}  // namespace

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = all_shapes();
  return all;
}

Result<const Shape*> find_shape(std::string_view name) {
  const auto found = std::find_if(shapes().begin(), shapes().end(), [&](const Shape& s) { return s.name == name; });
  if (found != shapes().end()) return &*found;
  std::string known;
  for (const Shape& shape : shapes()) (known += known.empty() ? "" : ", ") += shape.name;
  return fail(Error::Kind::invalid, "There is no shape of the name " + io::printable(name), {}, "Choose one of: " + known);
}

}  // namespace lava::synth
