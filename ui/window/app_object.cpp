#include "ui/window/app_object.h"

#include <QFile>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QQmlEngine>
#include <QQuickStyle>

#include "app/settings/about.h"
#include "app/settings/finding.h"
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

QVariantList licences_of(const QString& file, int name, int licence) {
  QFile text(":/lavascope/about/" + file);
  return text.open(QIODevice::ReadOnly) ? app::licences(QString::fromUtf8(text.readAll()), name, licence) : QVariantList();
}

}  // namespace

QString AppObject::version() const { return app::version(); }

void AppObject::set_query(const QString& query) {
  if (query == query_) return;
  query_ = query;
  emit query_changed();
}

bool AppObject::finds(const QString& text) const { return app::finds(query_, text); }

QString AppObject::marked(const QString& text, const QColor& ink, const QColor& ground) const {
  return app::marked(query_, text, ink.name(), ground.name());
}

QVariantList AppObject::licences() const { return licences_of("dependencies.md", 0, 3) + licences_of("THIRD_PARTY.md", 0, 3); }

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
