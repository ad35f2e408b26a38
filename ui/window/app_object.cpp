#include "ui/window/app_object.h"

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
  engine.setProperty(app_property, QVariant::fromValue(&app));
}

}  // namespace lava::ui
