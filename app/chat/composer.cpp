#include "app/chat/composer.h"

#include <QFileInfo>
#include <algorithm>

namespace lava::app {
namespace {

QString reason_of(const Error& error) {
  const QString what = QString::fromStdString(error.what), cause = QString::fromStdString(error.cause);
  return cause.isEmpty() ? what : what + ": " + cause;
}

}  // namespace

Composer::Composer(EngineLink& engine, const MediaStore& media, QObject* parent) : QAbstractListModel(parent), engine_(engine), media_(media) {
  connect(&engine_, &EngineLink::changed, this, [this] {
    const bool ready = engine_.state() == EngineLink::State::ready;
    if (ready && !engine_was_ready_) {
      for (const Chip& chip : chips_) count_tokens(chip.key);
    }
    engine_was_ready_ = ready;
  });
}

int Composer::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : count();
}

QVariant Composer::data(const QModelIndex& index, int role) const {
  if (index.row() < 0 || index.row() >= count()) return {};
  const Chip& chip = chips_[static_cast<size_t>(index.row())];
  switch (role) {
    case ShaRole: return chip.picture.sha256;
    case NameRole: return chip.picture.name;
    case WidthRole: return chip.picture.width;
    case HeightRole: return chip.picture.height;
    case StateRole: return chip.state == ChipState::loading ? "loading" : chip.state == ChipState::ready ? "ready" : "failed";
    case ReasonRole: return chip.reason;
    case TokensRole: return chip.tokens;
    default: return {};
  }
}

QHash<int, QByteArray> Composer::roleNames() const {
  return {{ShaRole, "sha"}, {NameRole, "name"}, {WidthRole, "pixelWidth"}, {HeightRole, "pixelHeight"}, {StateRole, "chipState"}, {ReasonRole, "reason"}, {TokensRole, "tokens"}};
}

void Composer::set_text(const QString& text) {
  if (text == text_) return;
  text_ = text;
  emit text_changed();
  touched();
}

bool Composer::loading() const {
  return std::any_of(chips_.begin(), chips_.end(), [](const Chip& chip) { return chip.state == ChipState::loading; });
}

bool Composer::ready() const {
  const bool settled = std::all_of(chips_.begin(), chips_.end(), [](const Chip& chip) { return chip.state == ChipState::ready; });
  return settled && !text_.trimmed().isEmpty();
}

int Composer::tokens() const {
  int sum = 0;
  for (const Chip& chip : chips_) sum += std::max(chip.tokens, 0);
  return sum;
}

QString Composer::problem() const {
  const auto broken = std::find_if(chips_.begin(), chips_.end(), [](const Chip& chip) { return chip.state == ChipState::failed; });
  return broken == chips_.end() ? QString() : broken->picture.name + ": " + broken->reason;
}

Draft Composer::draft() const {
  Draft draft{text_, {}, regions_};
  for (const Chip& chip : chips_) {
    if (chip.state == ChipState::ready) draft.pictures.push_back(chip.picture);
  }
  return draft;
}

void Composer::load(const Draft& draft, ChatId owner) {
  owner_ = owner;
  beginResetModel();
  chips_.clear();
  for (const Attachment& picture : draft.pictures) chips_.push_back({next_key_++, picture, ChipState::ready, {}, -1});
  endResetModel();
  regions_ = draft.regions;
  emit pointing_changed();
  text_ = draft.text;
  emit text_changed();
  emit text_loaded();
  for (const Chip& chip : chips_) count_tokens(chip.key);
  touched();
}

void Composer::add_files(const QList<QUrl>& files) {
  for (const QUrl& file : files) {
    const QString path = file.toLocalFile();
    if (path.isEmpty()) {
      add(file.fileName(), [] { return Result<Attachment>(fail(Error::Kind::unsupported, "Only files of this computer can be added")); });
    } else {
      add(QFileInfo(path).fileName(), [this, path] { return media_.add_file(path); });
    }
  }
}

void Composer::add_bytes(const QByteArray& bytes, const QString& name) {
  add(name, [this, bytes, name] { return media_.add(bytes, name); });
}

void Composer::add(const QString& name, std::function<Result<Attachment>()> read) {
  const quint64 key = next_key_++;
  beginInsertRows({}, count(), count());
  chips_.push_back({key, Attachment{.name = name}, ChipState::loading, {}, -1});
  endInsertRows();
  touched();
  background_.run(this, std::move(read), [this, key, owner = owner_](const Result<Attachment>& result) { settle(key, owner, result); });
}

void Composer::settle(quint64 key, ChatId owner, const Result<Attachment>& read) {
  const bool here = update(key, [&](Chip& chip) {
    chip.state = read ? ChipState::ready : ChipState::failed;
    if (read) chip.picture = *read;
    else chip.reason = reason_of(read.error());
  });
  if (!here && read && owner != owner_) emit came_late(owner, *read);
  count_tokens(key);
}

void Composer::count_tokens(quint64 key) {
  const auto chip = std::find_if(chips_.begin(), chips_.end(), [&](const Chip& c) { return c.key == key; });
  if (chip == chips_.end() || chip->state != ChipState::ready || engine_.state() != EngineLink::State::ready) return;
  engine_.count_tokens(chip->picture.width, chip->picture.height, this, [this, key](std::optional<int> tokens) {
    if (tokens) update(key, [&](Chip& c) { c.tokens = *tokens; });
  });
}

bool Composer::update(quint64 key, const std::function<void(Chip&)>& change) {
  for (int i = 0; i < count(); ++i) {
    if (chips_[static_cast<size_t>(i)].key != key) continue;
    change(chips_[static_cast<size_t>(i)]);
    emit dataChanged(index(i), index(i));
    touched();
    return true;
  }
  return false;
}

void Composer::remove(int chip) {
  if (chip < 0 || chip >= count()) return;
  beginRemoveRows({}, chip, chip);
  chips_.erase(chips_.begin() + chip);
  endRemoveRows();
  touched();
}

void Composer::move(int chip, int by) {
  const int to = chip + by;
  if ((by != 1 && by != -1) || chip < 0 || chip >= count() || to < 0 || to >= count()) return;
  beginMoveRows({}, chip, chip, {}, by > 0 ? to + 1 : to);
  std::swap(chips_[static_cast<size_t>(chip)], chips_[static_cast<size_t>(to)]);
  endMoveRows();
  touched();
}

void Composer::drop_regions() {
  if (regions_.empty()) return;
  regions_.clear();
  emit pointing_changed();
  touched();
}

void Composer::touched() {
  emit chips_changed();
  emit edited();
  if (ready() == was_ready_) return;
  was_ready_ = ready();
  emit ready_changed();
}

}  // namespace lava::app
