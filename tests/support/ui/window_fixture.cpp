#include "tests/support/ui/window_fixture.h"

#include <QSettings>
#include <QSignalSpy>

namespace lava::test {
namespace {

void collect(QQuickItem* item, const QString& name, QList<QQuickItem*>& found) {
  if (!item->isVisible()) return;
  if (item->objectName() == name) found.push_back(item);
  for (QQuickItem* child : item->childItems()) collect(child, name, found);
}

QPoint on_window(QQuickItem* item, QPointF at) {
  if (at.x() < 0) at = QPointF(item->width() / 2, item->height() / 2);
  return item->mapToScene(at).toPoint();
}

}  // namespace

WindowFixture::WindowFixture() {
  QSettings::setDefaultFormat(QSettings::IniFormat);
  QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, folder.path());
  object_ = std::make_unique<ui::AppObject>(chat.get(), &engine);
  qml_ = std::make_unique<QQmlApplicationEngine>();
  QObject::connect(qml_.get(), &QQmlEngine::warnings, qml_.get(), [this](const QList<QQmlError>& errors) {
    for (const QQmlError& error : errors) warnings += error.toString();
  });
  ui::set_up(*qml_, *object_, *media);
  qml_->load(QUrl("qrc:/modules/Lavascope/Main.qml"));
  if (qml_->rootObjects().isEmpty()) qFatal("the window does not load: %s", qPrintable(warnings.join('\n')));
  window = qobject_cast<QQuickWindow*>(qml_->rootObjects().front());
  window->resize(1180, 800);
  window->show();
  window->requestActivate();
  if (!QTest::qWaitForWindowActive(window, 20000)) qFatal("the window does not become active");
}

WindowFixture::~WindowFixture() {
  qml_.reset();
}

QList<QQuickItem*> WindowFixture::find_all(const QString& name) const {
  QList<QQuickItem*> found;
  collect(window->contentItem(), name, found);
  return found;
}

QQuickItem* WindowFixture::find(const QString& name) const {
  return find_all(name).value(0);
}

QQuickItem* WindowFixture::wait_for(const QString& name) const {
  QQuickItem* item = nullptr;
  const bool shown = QTest::qWaitFor([&] { return (item = find(name)) != nullptr && item->width() > 0; }, 20000);
  return shown ? item : nullptr;
}

void WindowFixture::click(QQuickItem* item, QPointF at) {
  QTest::mouseClick(window, Qt::LeftButton, Qt::NoModifier, on_window(item, at));
}

void WindowFixture::point_at(QQuickItem* item, QPointF at) {
  QTest::mouseMove(window, on_window(item, at));
}

void WindowFixture::next_frame() {
  QSignalSpy drawn(window, &QQuickWindow::frameSwapped);
  window->update();
  drawn.wait(20000);
}

void WindowFixture::type(const QString& text) {
  for (const QChar c : text) QTest::keyClick(window, c.toLatin1());
}

void WindowFixture::key(Qt::Key key, Qt::KeyboardModifiers modifiers) {
  QTest::keyClick(window, key, modifiers);
}

QString cut_off(QQuickItem* item, qreal right) {
  if (!item->isVisible()) return {};
  const QString words = item->property("text").toString();
  if (item->inherits("QQuickText") && !words.isEmpty()) {
    if (item->property("truncated").toBool() || item->property("contentWidth").toReal() > item->width() + 1) return words;
    if (item->mapToScene(QPointF(item->property("contentWidth").toReal(), 0)).x() > right) return words;
  }
  for (QQuickItem* child : item->childItems())
    if (const QString cut = cut_off(child, right); !cut.isEmpty()) return cut;
  return {};
}

bool WindowFixture::ask_with_box() {
  chat->composer()->add_files({QUrl::fromLocalFile(picture())});
  if (!QTest::qWaitFor([&] { return chat->composer()->draft().pictures.size() == 1; }, 20000)) return false;
  FakeAsking* asking = ask("Where is the cat?");
  if (!asking) return false;
  app::GroundedBox cat;
  cat.label = "cat";
  cat.start = 2;
  cat.end = 5;
  cat.x1 = cat.y1 = 50;
  cat.x2 = cat.y2 = 200;
  asking->finish("A cat sits.", {cat});
  return QTest::qWaitFor([&] { return idle() && find("phrase") && find("overlay"); }, 20000);
}

}  // namespace lava::test
