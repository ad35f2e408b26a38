// The one object through which QML reaches the application: App.chat, App.engine, App.storage, and what the settings ask for.
#pragma once
#include <QColor>
#include <QObject>
#include <QtQml/qqmlregistration.h>

#include "app/chat/chat_controller.h"
#include "app/settings/storage.h"

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
  Q_PROPERTY(QObject* storage READ storage CONSTANT)
  Q_PROPERTY(QString version READ version CONSTANT)
  Q_PROPERTY(QString query READ query WRITE set_query NOTIFY query_changed)  // what is sought in the settings

 public:
  AppObject(app::ChatController* chat, app::EngineLink* engine, QObject* parent = nullptr) : QObject(parent), chat_(chat), engine_(engine) {}
  static AppObject* create(QQmlEngine* engine, QJSEngine*);  // the one given to set_up()
  QObject* chat() const { return chat_; }
  QObject* engine() const { return engine_; }
  QObject* storage() { return &storage_; }
  QString version() const;
  QString query() const { return query_; }
  void set_query(const QString& query);
  Q_INVOKABLE bool finds(const QString& text) const;  // the query does
  Q_INVOKABLE QString marked(const QString& text, const QColor& ink, const QColor& ground) const;  // as rich text, with the query's words
  Q_INVOKABLE QVariantList licences() const;  // of what comes with the program: maps of name and value

 signals:
  void query_changed();

 private:
  app::ChatController* chat_;
  app::EngineLink* engine_;
  app::Storage storage_;
  QString query_;
};

// Makes the module known, installs image providers, and hands `app` to QML. Everything outlives `engine`.
void set_up(QQmlEngine& engine, AppObject& app, const app::MediaStore& media);

}  // namespace lava::ui
