// Marks inside Markdown source that survive reading and show where grounded phrases begin and end.
#pragma once
#include <QString>
#include <vector>

#include "app/history/history_store.h"

namespace lava::app {

inline constexpr char16_t phrase_start = 0xFDD0;  // followed by phrase_index + number of the phrase
inline constexpr char16_t phrase_end = 0xFDD1;    // followed by the same
inline constexpr char16_t phrase_index = 0xE000;
inline constexpr int max_phrases = 4096;

bool is_mark(QChar c);  // one of the characters reserved here and for colours

// Boxes that share one range of the text are one phrase; edges step inside emphasis marks. Ranges out of bounds are left out.
struct MarkedPhrase {
  int start = 0, end = 0;
  std::vector<int> boxes;
  QString words;  // shown at `start` when the answer is only a place
};
std::vector<MarkedPhrase> phrases_of(const QString& source, const std::vector<GroundedBox>& boxes);

// The source as shown: coordinates left out, reserved characters replaced, marks around each phrase.
QString marked_source(const QString& source, const std::vector<GroundedBox>& boxes, const std::vector<MarkedPhrase>& phrases);
QString without_reserved(const QString& text);

QString without_places(const QString& text);  // of an answer that never got its boxes

// Leaves "[0.12, 0.3, 0.5, 0.61]" out of text that streams; what may still become such a place is held back.
class PlaceFilter {
 public:
  QString feed(const QString& delta);

 private:
  QString held_;
};

}  // namespace lava::app
