// Unsent text and pictures per chat, kept over a restart in one small file.
#pragma once
#include <QTimer>
#include <map>

#include "app/chat/background.h"
#include "app/chat/composer.h"

namespace lava::app {

class Drafts : public QObject {
  Q_OBJECT
 public:
  Drafts(const QString& file, QObject* parent = nullptr);
  ~Drafts() override;  // writes what is not yet on disk

  void read(std::function<void()> then);  // once, at the start
  Draft get(ChatId chat) const;           // chat 0: the one not yet begun
  void set(ChatId chat, const Draft& draft);

 private:
  void save();
  QByteArray bytes() const;

  QString file_;
  std::map<ChatId, Draft> drafts_;
  QTimer timer_;
  bool dirty_ = false;
  Background background_;
};

}  // namespace lava::app
