// A decoder on one device, or on two: its last layers on the main one, the first ones on the processor.
//
// The last layers, because the output matrix goes with them: it is the largest of all and used for every token, while of the embeddings
// single rows are looked up, which lie in the pages of the mapped file. And so rows cross once, to the device, and only logits come back.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "engine/core/text_stage.h"
#include "engine/core/weights.h"
#include "kernels/devices.h"

namespace lava {

struct SplitDecoder {
  std::unique_ptr<Weights> weights;  // of `decoder`
  std::unique_ptr<Decoder> decoder;  // all layers, or the first of them
  std::unique_ptr<Weights> upper_weights;
  std::unique_ptr<Decoder> upper;  // the others, on the main device; nullptr: there are none
  bool on_main = false;            // `decoder` is on the main device

  std::vector<DecoderPart> parts() const;
  LayerWeights layer_weights() const { return upper ? LayerWeights(*weights, *upper_weights, upper->kv_shape(DType::f32).first) : LayerWeights(*weights); }
  int main_layers() const { return upper ? upper->kv_shape(DType::f32).layers : on_main ? decoder->config().layers : 0; }
  size_t weight_bytes() const { return weights->bytes() + (upper ? upper_weights->bytes() : 0); }
  KvShape kv_shape(DType type) const;  // of the caches of all layers together
};

struct SplitOptions {
  int context = 2048;
  Precision precision = Precision::exact;
  int on_main = 0;                             // layers; the processor has all others
  std::function<void(Weights&)> prepare = {};  // before the first matrix
};
// `progress` 0..1. The source must outlive the decoder.
Result<SplitDecoder> load_split(Devices, const io::TensorSource&, const TextConfig&, const SplitOptions&,
                                const std::function<void(double)>& progress = {});

}  // namespace lava
