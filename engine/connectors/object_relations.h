// What the objects of a picture are to each other: where each stands among the others, and how many are of its kind.
#pragma once
#include <cstdint>
#include <span>

#include "engine/connectors/word_rows.h"
#include "engine/core/prompt.h"

namespace lava::relations {

// Waves of the box | ranks from left, top and by size among the found ones | left, middle, right, top, middle, bottom | score | pointed.
inline constexpr int place_features = words::wave_features + 3 + 6 + 2;
void describe_places(std::span<const Object> objects, float* out);  // [objects, place_features]

// nouns: probabilities [objects, count]. Of its kind before it: at least 1, 2, 3, 4 (each 0..1) | of its kind besides it, the same |
// best and second noun | how unsure the noun is.
inline constexpr int count_features = 4 + 4 + 3;
void describe_counts(std::span<const Object> objects, const float* nouns, int64_t count, float* out);  // [objects, count_features]

// Which nouns each object most likely is, best first, and per object their probabilities | how unsure the noun is.
inline constexpr int guesses = 3, guess_features = guesses + 1;
void describe_guesses(const float* nouns, int64_t objects, int64_t count, int* best, float* out);  // best [objects, guesses], out [objects, guess_features]

}  // namespace lava::relations
