#include "tests/support/ui/chat_fixture.h"

namespace lava::test {

ChatFixture::ChatFixture() {
  reopen();
}

ChatFixture::~ChatFixture() {
  chat.reset();
}

void ChatFixture::reopen() {
  chat.reset();
  history.reset();
  auto opened = app::HistoryStore::open(folder.path());
  if (!opened) qFatal("%s", opened.error().message().c_str());
  history = std::move(*opened);
  media = std::make_unique<app::MediaStore>(folder.filePath("media"));
  chat = std::make_unique<app::ChatController>(*history, engine, *media, folder.filePath("drafts.json"));
}

FakeAsking* ChatFixture::ask(const QString& question) {
  const size_t before = engine.questions.size();
  chat->composer()->set_text(question);
  chat->send();
  if (!QTest::qWaitFor([&] { return engine.questions.size() > before; }, 20000)) return nullptr;
  return engine.last();
}

std::vector<app::Message> ChatFixture::stored(app::ChatId id) const {
  return history->branch(id == 0 ? chat->chat_id() : id);
}

QStringList ChatFixture::kinds() const {
  QStringList kinds;
  const app::Transcript* rows = chat->transcript();
  for (int i = rows->count() - 1; i >= 0; --i) kinds += rows->data(rows->index(i), app::Transcript::KindRole).toString();
  return kinds;
}

QVariantMap ChatFixture::entry(const QString& kind) const {
  const app::Transcript* rows = chat->transcript();
  for (int i = 0; i < rows->count(); ++i) {
    if (rows->data(rows->index(i), app::Transcript::KindRole).toString() == kind) return rows->data(rows->index(i), app::Transcript::EntryRole).toMap();
  }
  return {};
}

}  // namespace lava::test
