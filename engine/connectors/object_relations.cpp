#include "engine/connectors/object_relations.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace lava::relations {
namespace {

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

// How many of the other found objects have a smaller value, softly.
float rank(std::span<const Object> objects, std::span<const float> values, size_t i) {
  float sum = 0;
  for (size_t j = 0; j < objects.size(); ++j)
    if (j != i && !objects[j].pointed) sum += sigmoid(25 * (values[i] - values[j]));
  return sum / 8;
}

void thirds(float value, float* out) {
  out[0] = sigmoid(30 * (0.4f - value));
  out[2] = sigmoid(30 * (value - 0.6f));
  out[1] = 1 - out[0] - out[2];
}

void steps(float value, float* out) {
  for (int i = 0; i < 4; ++i) out[i] = std::clamp(value - static_cast<float>(i), 0.0f, 1.0f);
}

// Entropy of the probabilities, about 0..1.
float doubt(std::span<const float> nouns) {
  float entropy = 0;
  for (const float p : nouns) entropy -= p * std::log(p + 1e-9f);
  return entropy / 5;
}

}  // namespace

void describe_places(std::span<const Object> objects, float* out) {
  std::vector<float> x, y, size;
  for (const Object& object : objects) {
    const Box& b = object.box;
    x.push_back((b.x1 + b.x2) / 2), y.push_back((b.y1 + b.y2) / 2);
    size.push_back(std::sqrt(std::max((b.x2 - b.x1) * (b.y2 - b.y1), 0.0f)));
  }
  for (size_t i = 0; i < objects.size(); ++i, out += place_features) {
    words::place_waves(objects[i].box, out);
    float* rest = out + words::wave_features;
    rest[0] = rank(objects, x, i), rest[1] = rank(objects, y, i), rest[2] = rank(objects, size, i);
    thirds(x[i], rest + 3);
    thirds(y[i], rest + 6);
    rest[9] = objects[i].score, rest[10] = objects[i].pointed ? 1.0f : 0.0f;
  }
}

void describe_counts(std::span<const Object> objects, const float* nouns, int64_t count, float* out) {
  const size_t n = objects.size(), width = static_cast<size_t>(count);
  std::vector<float> roots(n * width);
  for (size_t i = 0; i < roots.size(); ++i) roots[i] = std::sqrt(std::max(nouns[i], 0.0f));
  for (size_t i = 0; i < n; ++i, out += count_features) {
    float earlier = 0, others = 0, best = 0, second = 0;
    for (size_t j = 0; j < n; ++j) {
      if (j == i || objects[j].pointed) continue;
      float likeness = 0;
      for (size_t k = 0; k < width; ++k) likeness += roots[i * width + k] * roots[j * width + k];
      const float alike = sigmoid(12 * (likeness - 0.6f));
      others += alike;
      if (j < i) earlier += alike;
    }
    for (size_t k = 0; k < width; ++k) {
      const float p = nouns[i * width + k];
      second = std::max(second, std::min(best, p));
      best = std::max(best, p);
    }
    steps(earlier, out);
    steps(others, out + 4);
    out[8] = best, out[9] = second, out[10] = doubt({nouns + i * width, width});
  }
}

void describe_guesses(const float* nouns, int64_t objects, int64_t count, int* best, float* out) {
  std::vector<int> order(static_cast<size_t>(count));
  for (int64_t i = 0; i < objects; ++i, nouns += count, best += guesses, out += guess_features) {
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort_copy(order.begin(), order.end(), best, best + guesses,
                           [nouns](int a, int b) { return nouns[a] != nouns[b] ? nouns[a] > nouns[b] : a < b; });
    for (int k = 0; k < guesses; ++k) out[k] = nouns[best[k]];
    out[guesses] = doubt({nouns, static_cast<size_t>(count)});
  }
}

}  // namespace lava::relations
