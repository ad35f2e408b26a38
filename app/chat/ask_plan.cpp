#include "app/chat/ask_plan.h"

#include <QRegularExpression>
#include <algorithm>

#include "app/chat/regions.h"
#include "engine/text/grounding.h"

namespace lava::app {
namespace {

const QString gone = QStringLiteral("the region");  // stands for one that is no longer sent

// A region on its way: entry `at` of the regions beside the last picture of turn `holder`.
struct Sent {
  size_t holder = 0, at = 0;
  QRectF box;
  int width = 0, height = 0;  // of its picture
};

// What a turn's words may mean by [region]: regions of its own, or those of the last question before it that had any.
struct Meaning {
  std::vector<Sent> regions;
  bool own = false;
};

QString place_words(const Sent& region) {
  const float pixels[4] = {static_cast<float>(region.box.left()), static_cast<float>(region.box.top()), static_cast<float>(region.box.right()),
                           static_cast<float>(region.box.bottom())};
  return QString::fromStdString(text::write_place(text::to_square(pixels, region.width, region.height)));
}

// Mentions in the text become `words`; a text without any gets `at_end`.
QString naming(const QString& text, const QStringList& words, const QStringList& at_end) {
  static const QRegularExpression mention(QStringLiteral("\\[region(?: (\\d{1,2}))?\\]")), end(QStringLiteral("[?.!\\s]*\\z"));
  QString named;
  qsizetype done = 0;
  bool mentioned = false;
  for (auto found = mention.globalMatch(text); found.hasNext();) {
    const auto match = found.next();
    const int number = match.hasCaptured(1) ? match.captured(1).toInt() : 1;
    if (number < 1 || number > words.size()) continue;
    named += text.mid(done, match.capturedStart() - done) + words[number - 1];
    done = match.capturedEnd();
    mentioned = true;
  }
  named += text.mid(done);
  if (!at_end.isEmpty() && !mentioned) named.insert(end.match(named).capturedStart(), ' ' + at_end.join(' '));
  return named;
}

class Planner {
 public:
  void add(const Message& message) {
    if (message.role == Role::assistant && message.text.isEmpty()) return;
    plan_.turns.push_back({message.role, message.text, message.attachments, {}});
    for (const Attachment& picture : message.attachments) {
      plan_.pictures.push_back(static_cast<int>(pictures_.size()));
      pictures_.push_back(picture);
      holder_ = plan_.turns.size() - 1;
    }
    latest_.own = message.role == Role::user && point(message);
    meanings_.push_back(message.role == Role::user ? latest_ : Meaning{});
  }

  AskPlan finish(bool regions) {
    std::vector<size_t> left_out;  // per turn: the oldest regions, beyond what a picture may have
    for (AskTurn& turn : plan_.turns) {
      const size_t spare = turn.regions.size() - std::min(turn.regions.size(), static_cast<size_t>(most_regions));
      left_out.push_back(spare);
      turn.regions.erase(turn.regions.begin(), turn.regions.begin() + static_cast<std::ptrdiff_t>(spare));
    }
    for (size_t i = 0; i < plan_.turns.size(); ++i) {
      const auto word = [&](const Sent& region) -> QString {
        if (!regions) return place_words(region);
        if (region.at < left_out[region.holder]) return gone;
        const size_t number = region.at - left_out[region.holder] + 1;
        return number == 1 ? QString("[region]") : QString("[region %1]").arg(number);
      };
      QStringList words, sent;
      for (const Sent& region : meanings_[i].regions) {
        words += word(region);
        if (meanings_[i].own && words.back() != gone) sent += words.back();
      }
      plan_.turns[i].text = naming(plan_.turns[i].text, words, sent);
    }
    if (!regions) {
      for (AskTurn& turn : plan_.turns) turn.regions.clear();
    }
    return std::move(plan_);
  }

 private:
  bool point(const Message& question) {
    const DrawnRegions drawn = drawn_regions(question.boxes, pictures_);
    if (drawn.picture < 0) return false;
    const Attachment& picture = pictures_[static_cast<size_t>(drawn.picture)];
    if (plan_.pictures.back() != drawn.picture) {
      plan_.turns.back().pictures.push_back(picture);
      plan_.pictures.push_back(drawn.picture);
      holder_ = plan_.turns.size() - 1;
    }
    latest_.regions.clear();
    for (const QRectF& box : drawn.boxes) {
      std::vector<QRectF>& beside = plan_.turns[holder_].regions;
      latest_.regions.push_back({holder_, beside.size(), box, picture.width, picture.height});
      beside.push_back(box);
    }
    return true;
  }

  AskPlan plan_;
  std::vector<Attachment> pictures_;  // of the branch
  std::vector<Meaning> meanings_;     // per turn
  Meaning latest_;
  size_t holder_ = 0;  // the turn with the last picture
};

}  // namespace

AskPlan ask_plan(const std::vector<Message>& branch, bool regions) {
  Planner planner;
  for (const Message& message : branch) planner.add(message);
  return planner.finish(regions);
}

}  // namespace lava::app
