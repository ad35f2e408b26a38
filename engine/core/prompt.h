// What the decoder sees: rows (embeddings) and one record per row. Nothing else knows how many rows a picture has.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace lava {

enum class RowKind : uint8_t { text, special, image, separator, object, region, frame_time, generated };

struct RowInfo {
  RowKind kind = RowKind::text;
  int32_t token = -1;                                    // vocabulary id; -1 for a row that is only an embedding
  int16_t media = -1, view = -1;                         // which picture or clip of the prompt, which view of it; -1 for text
  int16_t y = -1, x = -1;                                // cell in the view's grid after the connector; -1 where there is none
  float time = std::numeric_limits<float>::quiet_NaN();  // seconds in the clip; NaN for pictures and text
  int32_t position = 0;                                  // rope position
};

// What a row was made from: equal keys mean equal rows, so that rows already in the cache are found again.
struct RowKey {
  uint64_t picture = 0;  // 0: a token
  int32_t index = 0;     // vocabulary id, or row of the picture
  bool operator==(const RowKey&) const = default;
};

// The prompt of one request. Embeddings belong to the pictures' rows, which must outlive it.
struct Prompt {
  std::vector<RowInfo> info;
  std::vector<const float*> embeddings;  // per row: [width], or nullptr where the row is info.token's
  std::vector<RowKey> keys;

  int size() const { return static_cast<int>(info.size()); }
  // Keeps the first `rows`.
  void cut(int rows) {
    const auto count = static_cast<size_t>(rows);
    info.resize(count), embeddings.resize(count), keys.resize(count);
  }
};

// A place in a picture, 0..1 on the upright picture padded to a centred square.
struct Box {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};

// Something a tower found, or that the user points at: box, score and the label when it has one.
struct Object {
  Box box;
  float score = 0;
  std::string label;
  bool pointed = false;  // by the user
};

inline constexpr int most_objects = 10;  // of a picture: marks [1] to [10]

// One encoded picture: the rows that stand for it in a prompt. Kept in the cache by content and preprocessing.
struct PictureRows {
  int32_t width = 0;            // of a row
  std::vector<float> rows;      // [info.size(), width]
  std::vector<RowInfo> info;    // media and position are filled in by whoever builds the prompt
  std::vector<Object> objects;  // mark k of an answer is objects[k - 1]
  std::string key;              // content hash plus everything of the preprocessing that changes the rows
};

}  // namespace lava
