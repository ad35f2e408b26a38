#include "app/chat/drafts.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>

namespace lava::app {
namespace {

constexpr int save_after_ms = 400;
constexpr qint64 max_bytes = 64 << 20;

QJsonObject picture_object(const Attachment& picture) {
  return {{"sha256", picture.sha256}, {"name", picture.name}, {"mime", picture.mime}, {"width", picture.width}, {"height", picture.height}};
}

std::map<ChatId, Draft> read_file(const QString& path) {
  std::map<ChatId, Draft> drafts;
  QFile file(path);
  if (file.size() > max_bytes || !file.open(QIODevice::ReadOnly)) return drafts;
  const QJsonObject all = QJsonDocument::fromJson(file.readAll()).object();
  for (auto it = all.begin(); it != all.end(); ++it) {
    bool ok = false;
    const ChatId chat = it.key().toLongLong(&ok);
    if (!ok || chat < 0) continue;
    Draft draft{it->toObject().value("text").toString(), {}};
    for (const QJsonValue& value : it->toObject().value("pictures").toArray()) {
      const QJsonObject p = value.toObject();
      draft.pictures.push_back({p.value("sha256").toString(), p.value("name").toString(), p.value("mime").toString(), p.value("width").toInt(), p.value("height").toInt()});
    }
    drafts[chat] = std::move(draft);
  }
  return drafts;
}

void write_file(const QString& path, const QByteArray& bytes) {
  QDir().mkpath(QFileInfo(path).path());
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly)) return;
  file.write(bytes);
  file.setPermissions(QFile::ReadOwner | QFile::WriteOwner);
  file.commit();
}

}  // namespace

Drafts::Drafts(const QString& file, QObject* parent) : QObject(parent), file_(file) {
  timer_.setSingleShot(true);
  timer_.setInterval(save_after_ms);
  connect(&timer_, &QTimer::timeout, this, &Drafts::save);
}

Drafts::~Drafts() {
  if (dirty_) save();
  background_.wait();
}

void Drafts::read(std::function<void()> then) {
  background_.run(this, [path = file_] { return read_file(path); },
                  [this, then = std::move(then)](std::map<ChatId, Draft> read) {
                    for (auto& [chat, draft] : drafts_) read[chat] = std::move(draft);  // what was written meanwhile is newer
                    drafts_.swap(read);
                    then();
                  });
}

Draft Drafts::get(ChatId chat) const {
  const auto it = drafts_.find(chat);
  return it == drafts_.end() ? Draft{} : it->second;
}

void Drafts::set(ChatId chat, const Draft& draft) {
  if (draft.empty()) drafts_.erase(chat);
  else drafts_[chat] = draft;
  dirty_ = true;
  if (!timer_.isActive()) timer_.start();
}

QByteArray Drafts::bytes() const {
  QJsonObject all;
  for (const auto& [chat, draft] : drafts_) {
    QJsonArray pictures;
    for (const Attachment& picture : draft.pictures) pictures.append(picture_object(picture));
    all.insert(QString::number(chat), QJsonObject{{"text", draft.text}, {"pictures", pictures}});
  }
  return QJsonDocument(all).toJson();
}

void Drafts::save() {
  dirty_ = false;
  background_.run([path = file_, bytes = bytes()] { write_file(path, bytes); });
}

}  // namespace lava::app
