// A branch as the engine reads it: which pictures are sent where, the regions beside them, and the words that name these.
#pragma once
#include <vector>

#include "app/chat/engine_link.h"

namespace lava::app {

struct AskPlan {
  std::vector<AskTurn> turns;
  std::vector<int> pictures;  // number in the branch of each picture sent, in the order of sending
};

// Answers that never came are left out. A picture is sent once, in the turn that holds it, and regions drawn later go beside it there. Only
// when another picture came in between does the question bring its picture along again: places in an answer are those of the last picture.
// regions: whether the engine takes them; if not, the place is written into the question as numbers.
AskPlan ask_plan(const std::vector<Message>& branch, bool regions);

}  // namespace lava::app
