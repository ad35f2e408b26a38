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

// Boxes that share one range of the text are one phrase. Ranges out of bounds are left out; edges step inside emphasis marks.
struct MarkedPhrase {
  int start = 0, end = 0;
  std::vector<int> boxes;
};
std::vector<MarkedPhrase> phrases_of(const QString& source, const std::vector<GroundedBox>& boxes);

// The source without characters that could be taken for marks, with marks around each phrase.
QString mark_phrases(const QString& source, const std::vector<MarkedPhrase>& phrases);

}  // namespace lava::app
