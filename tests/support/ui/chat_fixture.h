// A chat over a real history in a folder of its own, with a fake engine.
#pragma once
#include <QTemporaryDir>
#include <QTest>
#include <memory>

#include "app/chat/chat_controller.h"
#include "tests/support/ui/fake_engine.h"

namespace lava::test {

class ChatFixture {
 public:
  ChatFixture();
  ~ChatFixture();
  void reopen();  // as after a restart of the program
  // Types and sends; waits until the engine has the question.
  FakeAsking* ask(const QString& question);
  std::vector<app::Message> stored(app::ChatId chat = 0) const;  // 0: the chat on screen
  bool idle() const { return !chat->busy(); }
  QStringList kinds() const;  // of the rows on screen, top to bottom
  QVariantMap entry(const QString& kind) const;  // of the newest row of that kind
  static QString picture() { return QString(LAVA_SOURCE_DIR) + "/tests/fixtures/default/chelsea.png"; }

  QTemporaryDir folder;
  std::unique_ptr<app::HistoryStore> history;
  std::unique_ptr<app::MediaStore> media;
  FakeEngine engine;
  std::unique_ptr<app::ChatController> chat;
};

}  // namespace lava::test
