// What the window asks of the desktop: clipboard, web browser, bundled examples.
#pragma once
#include <QObject>
#include <QSet>
#include <QVariantList>
#include <QtQml/qqmlregistration.h>

#include "app/chat/composer.h"

namespace lava::ui {

class Desktop : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_SINGLETON

 public:
  using QObject::QObject;
  Q_INVOKABLE void copy(const QString& text) const;
  // Files and pictures of the clipboard become chips; false when it holds text, which the field pastes itself.
  Q_INVOKABLE bool paste_into(QObject* composer) const;
  Q_INVOKABLE QString host_of(const QString& link) const;
  Q_INVOKABLE bool trusts(const QString& link) const;  // a link to this host was opened before since the program started
  Q_INVOKABLE void open_link(const QString& link);
  // In the program that the desktop has for it. False: it is not there, or there is no such program.
  Q_INVOKABLE bool open_path(const QString& path) const;
  Q_INVOKABLE QUrl pictures_folder() const;
  Q_INVOKABLE QString path_of(const QUrl& file) const { return file.toLocalFile(); }
  Q_INVOKABLE QVariantList examples() const;  // {title, hint, picture, question}

 private:
  QSet<QString> trusted_;
};

}  // namespace lava::ui
