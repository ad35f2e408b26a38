// Places in answers: `[x1, y1, x2, y2]`, 0 to 1 on the picture padded to a square, and marks `[k]` that stand for objects of the picture.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/prompt.h"

namespace lava::text {

// A place and the words that it belongs to; byte offsets into the text.
struct GroundedPhrase {
  Box box;
  std::string label;                    // without article; empty when nothing stands before the place
  size_t start = 0, end = 0;            // of the label in the text; equal when there is none
  size_t mark_start = 0, mark_end = 0;  // of the coordinates
};

std::vector<GroundedPhrase> find_places(std::string_view text);

// "[0.00, 0.17, 0.88, 0.85]"
std::string write_place(const Box& box);

// Rewrites marks `[k]` to the numeric form while a text streams by: text that may be the beginning of a mark waits. Marks of objects that
// do not exist stay as they are.
class MarkRewriter {
 public:
  struct Pointed {
    size_t at = 0;  // of the coordinates in the rewritten text
    size_t object = 0;
  };

  explicit MarkRewriter(std::span<const Object> objects) : objects_(objects) {}

  std::string push(std::string_view text);
  std::string finish();
  const std::vector<Pointed>& pointed() const { return pointed_; }

 private:
  std::span<const Object> objects_;
  std::string waiting_;  // empty, or "[" and digits
  size_t written_ = 0;
  std::vector<Pointed> pointed_;
};

// The inverse of to_pixels.
Box to_square(const float pixels[4], int width, int height);

// The inverse of MarkRewriter on a whole text: places that are the box of an object (as written, or nearly) become its mark again.
std::string places_to_marks(std::string_view text, std::span<const Object> objects);

// Pixels {x1, y1, x2, y2} of the upright picture: the padding is taken off, the rest clamped. False when nothing is left.
bool to_pixels(const Box& box, int width, int height, float pixels[4]);

}  // namespace lava::text
