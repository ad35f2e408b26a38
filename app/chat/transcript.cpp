#include "app/chat/transcript.h"

#include <algorithm>

#include "app/chat/regions.h"

namespace lava::app {

int Transcript::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : count();
}

QVariant Transcript::data(const QModelIndex& index, int role) const {
  if (index.row() < 0 || index.row() >= count()) return {};
  const Row& row = rows_[static_cast<size_t>(index.row())];
  switch (role) {
    case KindRole: return row.kind;
    case MessageRole: return row.message;
    case EntryRole: return row.entry;
    default: return {};
  }
}

QHash<int, QByteArray> Transcript::roleNames() const {
  return {{KindRole, "kind"}, {MessageRole, "message"}, {EntryRole, "entry"}};
}

void Transcript::show(std::vector<ShownMessage> messages, const LiveState& live, bool other_chat) {
  live_ = live;
  if (other_chat || messages.empty() || messages_.empty()) {
    beginResetModel();
    messages_ = std::move(messages);
    index_pictures();
    rows_.clear();
    counts_.assign(messages_.size(), 0);
    for (size_t i = messages_.size(); i-- > 0;) {
      const Rows rows = rows_of(i);
      counts_[i] = static_cast<int>(rows.size());
      rows_.insert(rows_.end(), rows.rbegin(), rows.rend());
    }
    endResetModel();
  } else {
    messages_ = std::move(messages);
    index_pictures();
    while (counts_.size() > messages_.size()) {
      replace(counts_.size() - 1, {});
      counts_.pop_back();
    }
    while (counts_.size() < messages_.size()) counts_.push_back(0);
    for (size_t i = 0; i < messages_.size(); ++i) replace(i, rows_of(i));
  }
  emit count_changed();
}

void Transcript::update_last(const Message& answer, const std::vector<Block>& blocks, const LiveState& live) {
  if (messages_.empty()) return;
  live_ = live;
  messages_.back().message = answer;
  messages_.back().blocks = blocks;
  replace(messages_.size() - 1, rows_of(messages_.size() - 1));
  emit count_changed();
}

int Transcript::below(size_t message) const {
  int rows = 0;
  for (size_t i = message + 1; i < counts_.size(); ++i) rows += counts_[i];
  return rows;
}

// Changes only the rows that differ: same ones at the top and at the bottom stay, so that the view keeps its place.
void Transcript::replace(size_t message, Rows rows) {
  std::reverse(rows.begin(), rows.end());
  const int base = below(message), old_count = counts_[message], new_count = static_cast<int>(rows.size());
  const auto old_row = [&](int i) -> Row& { return rows_[static_cast<size_t>(base + i)]; };
  const auto new_row = [&](int i) -> Row& { return rows[static_cast<size_t>(i)]; };
  int tail = 0;  // equal or same-kind rows at the old end (top of the message)
  while (tail < std::min(old_count, new_count) && old_row(old_count - 1 - tail) == new_row(new_count - 1 - tail)) ++tail;
  int head = 0;
  while (head < std::min(old_count, new_count) - tail && old_row(head) == new_row(head)) ++head;
  const int old_middle = old_count - tail - head, new_middle = new_count - tail - head;
  const int shared = std::min(old_middle, new_middle);
  // The oldest of the middle rows correspond to each other (the live block and its next state); what is new comes below them.
  const int old_from = base + head + (old_middle - shared), new_from = head + (new_middle - shared);
  for (int i = 0; i < shared; ++i) {
    Row& target = rows_[static_cast<size_t>(old_from + i)];
    if (target == new_row(new_from + i)) continue;
    target = new_row(new_from + i);
    emit dataChanged(index(old_from + i), index(old_from + i));
  }
  const int at = base + head;
  if (old_middle > shared) {
    beginRemoveRows({}, at, at + old_middle - shared - 1);
    rows_.erase(rows_.begin() + at, rows_.begin() + at + old_middle - shared);
    counts_[message] = new_count;
    endRemoveRows();
  } else if (new_middle > shared) {
    beginInsertRows({}, at, at + new_middle - shared - 1);
    rows_.insert(rows_.begin() + at, rows.begin() + head, rows.begin() + head + new_middle - shared);
    counts_[message] = new_count;
    endInsertRows();
  }
}

Transcript::Rows Transcript::rows_of(size_t index) const {
  return messages_[index].message.role == lava::app::Role::assistant ? answer_rows(index) : user_rows(index);
}

// The boxes on a picture are those of the latest answer that names some there.
void Transcript::index_pictures() {
  first_picture_.clear();
  pictures_.clear();
  for (const ShownMessage& shown : messages_) {
    first_picture_.push_back(static_cast<int>(pictures_.size()));
    pictures_.insert(pictures_.end(), shown.message.attachments.begin(), shown.message.attachments.end());
  }
  const int count = static_cast<int>(pictures_.size());
  boxed_by_.assign(pictures_.size(), -1);
  for (size_t i = 0; i < messages_.size(); ++i) {
    if (messages_[i].message.role != lava::app::Role::assistant) continue;
    for (const GroundedBox& box : messages_[i].message.boxes) {
      if (box.picture >= 0 && box.picture < count) boxed_by_[static_cast<size_t>(box.picture)] = static_cast<int>(i);
    }
  }
}

QVariantList Transcript::boxes_on(int picture) const {
  QVariantList boxes;
  const int by = boxed_by_[static_cast<size_t>(picture)];
  if (by < 0) return boxes;
  const Message& answer = messages_[static_cast<size_t>(by)].message;
  for (size_t i = 0; i < answer.boxes.size(); ++i) {
    const GroundedBox& box = answer.boxes[i];
    if (box.picture != picture) continue;
    boxes.push_back(QVariantMap{{"label", box.label}, {"x1", box.x1}, {"y1", box.y1}, {"x2", box.x2}, {"y2", box.y2},
                                {"number", static_cast<int>(i) + 1}, {"message", answer.id}});
  }
  return boxes;
}

namespace {

QVariantMap picture_entry(const Attachment& picture, int number, const QVariantList& boxes) {
  return {{"sha", picture.sha256}, {"name", picture.name}, {"width", picture.width}, {"height", picture.height}, {"number", number}, {"boxes", boxes}};
}

}  // namespace

QVariantList Transcript::pictures_of(size_t index) const {
  QVariantList pictures;
  int number = first_picture_[index];
  for (const Attachment& attachment : messages_[index].message.attachments) {
    pictures.push_back(picture_entry(attachment, number, boxes_on(number)));
    ++number;
  }
  return pictures;
}

QVariantMap Transcript::pointed_at(size_t index) const {
  const Message& question = messages_[index].message;
  const size_t known = static_cast<size_t>(first_picture_[index]) + question.attachments.size();
  const DrawnRegions drawn = drawn_regions(question.boxes, std::span(pictures_).first(known));
  if (drawn.picture < 0) return {};
  QVariantList boxes;
  for (const QRectF& region : drawn.boxes) {
    boxes.push_back(QVariantMap{{"label", "region"}, {"x1", region.left()}, {"y1", region.top()}, {"x2", region.right()}, {"y2", region.bottom()},
                                {"number", static_cast<int>(boxes.size()) + 1}, {"message", question.id}, {"drawn", true}});
  }
  return picture_entry(pictures_[static_cast<size_t>(drawn.picture)], drawn.picture, boxes);
}

QVariantList Transcript::pictures() const {
  QVariantList all;
  for (size_t i = 0; i < messages_.size(); ++i) all += pictures_of(i);
  return all;
}

namespace {

QVariantMap sibling_entry(const ShownMessage& shown) {
  const auto at = std::find(shown.siblings.begin(), shown.siblings.end(), shown.message.id);
  const bool known = at != shown.siblings.end();
  return {{"sibling", known ? static_cast<int>(at - shown.siblings.begin()) + 1 : 1}, {"siblings", known ? static_cast<int>(shown.siblings.size()) : 1}};
}

QVariantList phrase_entries(const Block& block, const Message& answer) {
  QVariantList phrases;
  for (const Phrase& phrase : block.phrases) {
    QVariantList boxes;
    for (const int box : phrase.boxes) boxes.push_back(box + 1);
    const GroundedBox& first = answer.boxes[static_cast<size_t>(phrase.boxes.front())];
    phrases.push_back(QVariantMap{{"start", phrase.start}, {"length", phrase.length}, {"boxes", boxes}, {"label", first.label},
                                  {"picture", first.picture}});
  }
  return phrases;
}

QVariantMap block_entry(const Block& block, const Message& answer) {
  QVariantMap entry{{"indent", block.indent}, {"quote", block.quote}, {"marker", block.marker}};
  switch (block.kind) {
    case Block::Kind::code:
      entry.insert("text", block.text);
      entry.insert("language", block.language);
      break;
    case Block::Kind::table:
      entry.insert("columns", block.columns);
      entry.insert("cells", block.cells);
      break;
    case Block::Kind::heading:
    case Block::Kind::text:
      entry.insert("html", "<p style=\"white-space:pre-wrap;margin:0;line-height:130%\">" + block.html + "</p>");
      entry.insert("text", block.text);
      entry.insert("level", block.level);
      if (!block.phrases.empty()) entry.insert("phrases", phrase_entries(block, answer));
      break;
    case Block::Kind::rule: break;
  }
  return entry;
}

QString kind_name(Block::Kind kind) {
  switch (kind) {
    case Block::Kind::code: return "code";
    case Block::Kind::table: return "table";
    case Block::Kind::rule: return "rule";
    default: return "text";
  }
}

}  // namespace

Transcript::Rows Transcript::user_rows(size_t index) const {
  const ShownMessage& shown = messages_[index];
  QVariantMap entry = sibling_entry(shown);
  entry.insert("text", shown.message.text);
  entry.insert("pictures", pictures_of(index));
  if (const QVariantMap pointed = pointed_at(index); !pointed.isEmpty()) entry.insert("pointed", pointed);
  entry.insert("first", index == 0);
  return {{"user", shown.message.id, entry}};
}

Transcript::Rows Transcript::answer_rows(size_t index) const {
  const ShownMessage& shown = messages_[index];
  const Message& answer = shown.message;
  const bool last = index + 1 == messages_.size(), live = last && live_.live;
  Rows rows{{"head", answer.id, {{"model", answer.model}}}};
  for (const Block& block : shown.blocks) rows.push_back({kind_name(block.kind), answer.id, block_entry(block, answer)});
  if (!answer.error.isEmpty()) rows.push_back({"error", answer.id, answer.error.toVariantMap()});
  if (live) {
    rows.push_back({"phase", answer.id, {{"text", live_.phase.text}, {"fraction", live_.phase.fraction}}});
    return rows;
  }
  QVariantMap footer = sibling_entry(shown);
  footer.insert("last", last);
  footer.insert("timings", timing_line(answer.timings));
  footer.insert("stopped", answer.state == MessageState::stopped);
  footer.insert("cut", answer.timings.value("cut").toBool());
  rows.push_back({"footer", answer.id, footer});
  return rows;
}

}  // namespace lava::app
