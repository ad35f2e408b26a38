#include "engine/core/split_decoder.h"

namespace lava {

std::vector<DecoderPart> SplitDecoder::parts() const {
  std::vector<DecoderPart> parts{{&weights->device(), decoder.get()}};
  if (upper) parts.push_back({&upper_weights->device(), upper.get()});
  return parts;
}

KvShape SplitDecoder::kv_shape(DType type) const {
  KvShape shape = decoder->kv_shape(type);
  shape.layers = decoder->config().layers;
  return shape;
}

Result<SplitDecoder> load_split(Devices devices, const io::TensorSource& source, const TextConfig& config, const SplitOptions& options,
                                const std::function<void(double)>& progress) {
  LAVA_CHECK(options.on_main >= 0 && options.on_main <= config.layers);
  const int below = config.layers - options.on_main;
  const bool two = options.on_main > 0 && below > 0;
  SplitDecoder split;
  double done = 0;  // share of the layers
  const auto load = [&](Weights& weights, int first, int end) {
    const double share = static_cast<double>(end - first) / config.layers;
    const auto tell = [&](double part) {
      if (progress) progress(done + share * part);
    };
    if (options.prepare) options.prepare(weights);
    auto decoder = Decoder::load(weights, source, config, {options.context, options.precision, first, end}, tell);
    done += share;
    return decoder;
  };
  if (two) {  // first, because its memory may not suffice
    split.upper_weights = std::make_unique<Weights>(devices.main);
    LAVA_TRY(split.upper, load(*split.upper_weights, below, config.layers));
  }
  split.on_main = below == 0;
  split.weights = std::make_unique<Weights>(split.on_main ? devices.main : devices.cpu);
  LAVA_TRY(split.decoder, load(*split.weights, 0, two ? below : config.layers));
  return split;
}

}  // namespace lava
