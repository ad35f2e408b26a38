// The one object through which QML reaches the application: App.chat, App.engine.
#pragma once
#include <QObject>
#include <QtQml/qqmlregistration.h>

#include "app/chat/chat_controller.h"

class QQmlApplicationEngine;
class QQmlEngine;
class QJSEngine;

namespace lava::ui {

class AppObject : public QObject {
  Q_OBJECT
  QML_NAMED_ELEMENT(App)
  QML_SINGLETON
  Q_PROPERTY(QObject* chat READ chat CONSTANT)
  Q_PROPERTY(QObject* engine READ engine CONSTANT)

 public:
  AppObject(app::ChatController* chat, app::EngineLink* engine, QObject* parent = nullptr) : QObject(parent), chat_(chat), engine_(engine) {}
  static AppObject* create(QQmlEngine* engine, QJSEngine*);  // the one given to set_up()
  QObject* chat() const { return chat_; }
  QObject* engine() const { return engine_; }

 private:
  app::ChatController* chat_;
  app::EngineLink* engine_;
};

// Makes the module known, installs image providers, and hands `app` to QML. Everything outlives `engine`.
void set_up(QQmlEngine& engine, AppObject& app, const app::MediaStore& media);

}  // namespace lava::ui
