// The real window over a ChatFixture, driven by real events.
#pragma once
#include <QQmlApplicationEngine>
#include <QQuickItem>
#include <QQuickWindow>

#include "tests/support/ui/chat_fixture.h"
#include "ui/window/app_object.h"

namespace lava::test {

class WindowFixture : public ChatFixture {
 public:
  WindowFixture();
  ~WindowFixture();

  QQuickItem* find(const QString& name) const;            // first visible item of that object name
  QList<QQuickItem*> find_all(const QString& name) const;
  QQuickItem* wait_for(const QString& name) const;
  void click(QQuickItem* item, QPointF at = {-1, -1});    // in the middle, or at a point of the item
  void point_at(QQuickItem* item, QPointF at = {-1, -1});
  void type(const QString& text);
  void next_frame();  // what is laid out anew has its place then
  void key(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier);
  // A question with one picture, answered "A cat sits." with a box on the cat.
  bool ask_with_box();

  QQuickWindow* window = nullptr;
  QStringList warnings;

 private:
  std::unique_ptr<ui::AppObject> object_;
  std::unique_ptr<QQmlApplicationEngine> qml_;
};

// Where text does not fit its item, or an item its popover, whose right side is `right`; empty when all is well.
QString cut_off(QQuickItem* item, qreal right);

}  // namespace lava::test
