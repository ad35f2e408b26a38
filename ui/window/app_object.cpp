#include "ui/window/app_object.h"

#include <QGuiApplication>
#include <QKeyEvent>
#include <QQmlEngine>
#include <QQuickStyle>

#include "ui/items/icon_provider.h"
#include "ui/items/picture_provider.h"

void qml_register_types_Lavascope();
#if LAVA_COMPILE_QML
int qInitResources_qmlcache_lava_ui();
#endif

namespace lava::ui {
namespace {

constexpr char app_property[] = "lava_app_object";

// Qt's read-only TextEdit takes every key as its own before shortcuts are asked: after a click into an answer all of them were dead.
class ReadersShortcuts : public QObject {
 public:
  using QObject::QObject;

 protected:
  bool eventFilter(QObject* object, QEvent* event) override {
    if (event->type() != QEvent::ShortcutOverride || !object->inherits("QQuickTextEdit") || !object->property("readOnly").toBool()) return false;
    const auto* key = static_cast<QKeyEvent*>(event);
    event->setAccepted(key->matches(QKeySequence::Copy) || key->matches(QKeySequence::SelectAll));
    return true;
  }
};

}  // namespace

AppObject* AppObject::create(QQmlEngine* engine, QJSEngine*) {
  auto* object = engine->property(app_property).value<AppObject*>();
  if (!object) qFatal("set_up() was not called for this QML engine");
  QJSEngine::setObjectOwnership(object, QJSEngine::CppOwnership);
  return object;
}

void set_up(QQmlEngine& engine, AppObject& app, const app::MediaStore& media) {
  qml_register_types_Lavascope();
#if LAVA_COMPILE_QML
  qInitResources_qmlcache_lava_ui();  // else the linker drops the compiled QML of a static library
#endif
  QQuickStyle::setStyle("Basic");
  engine.addImportPath(":/modules");
  engine.addImageProvider("icon", new IconProvider);
  engine.addImageProvider("media", new PictureProvider(media));
  qApp->installEventFilter(new ReadersShortcuts(&engine));
  engine.setProperty(app_property, QVariant::fromValue(&app));
}

}  // namespace lava::ui
