// Cuts Markdown into top-level pieces that can be read one by one, so that a growing answer is only read again from its last piece.
#pragma once
#include <QString>
#include <QStringView>
#include <vector>

namespace lava::app {

// [start, end) of one piece in the source. Whether a line begins a new piece depends on that line and the ones before it, never on later ones.
struct Piece {
  qsizetype start = 0, end = 0;
  bool firm = false;  // begun by a line that is complete: its start can no longer move
};

std::vector<Piece> split_pieces(QStringView source, qsizetype from = 0);

}  // namespace lava::app
