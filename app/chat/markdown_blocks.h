// An answer as a flat list of blocks that a list view can show one by one. HTML is text, pictures are never fetched.
#pragma once
#include <QString>
#include <QStringList>
#include <optional>
#include <vector>

#include "app/history/history_store.h"

namespace lava::app {

// Stand in the rich text for colours that only the window knows.
inline constexpr QChar link_color_mark = QChar(0xFDD2);
inline constexpr QChar code_color_mark = QChar(0xFDD3);

// A grounded phrase inside the shown text of one block.
struct Phrase {
  std::vector<int> boxes;     // indices into the message's boxes; several where one phrase names several things
  int start = 0, length = 0;  // UTF-16, in the text as shown
  bool operator==(const Phrase&) const = default;
};

struct Block {
  enum class Kind { text, heading, code, table, rule };
  Kind kind = Kind::text;
  QString html;        // text, heading: rich text of one paragraph; white space counts
  QString text;        // the same without marks; code: the code
  QString language;    // code
  QString marker;      // list item: bullet, number or box; empty otherwise
  int level = 0;       // heading 1..6
  int indent = 0;      // depth of lists
  int quote = 0;       // depth of quotes
  int columns = 0;     // table
  QStringList cells;   // table: rich text, row by row, the head first
  std::vector<Phrase> phrases;
  bool operator==(const Block&) const = default;
};

std::vector<Block> markdown_blocks(const QString& source, const std::vector<GroundedBox>& boxes = {});

std::vector<Block> answer_blocks(const Message& answer);  // coordinates without a box (of an answer that was stopped) are left out

// The blocks of a text that grows: only what may still change is read again.
class BlockStream {
 public:
  const std::vector<Block>& append(const QString& delta);
  const std::vector<Block>& blocks() const { return blocks_; }
  const QString& text() const { return source_; }

 private:
  QString source_;
  qsizetype firm_ = 0;     // source before this is read for good
  size_t firm_blocks_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace lava::app
