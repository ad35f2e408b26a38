#include "ui/theme/theme.h"

#include <QEvent>
#include <QFile>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QJsonDocument>
#include <QPalette>
#include <QQmlEngine>
#include <QSettings>

#include "app/chat/markdown_blocks.h"

namespace lava::ui {
namespace {

// Qt 6.4 does not report the colour scheme: the palette of the platform theme tells it, a GTK setting where there is none.
QString system_theme() {
  const QString asked = qEnvironmentVariable("LAVASCOPE_THEME");
  if (asked == "light" || asked == "dark" || asked == "contrast") return asked;
  const QString gtk = qEnvironmentVariable("GTK_THEME").toLower();
  if (gtk.contains("highcontrast")) return "contrast";
  if (gtk.endsWith("dark")) return "dark";
  const QPalette palette = QGuiApplication::palette();
  const bool dark = palette.color(QPalette::Window).lightness() < palette.color(QPalette::WindowText).lightness();
  return dark ? "dark" : "light";
}

QJsonObject read_tokens() {
  QFile file(":/lavascope/theme/tokens.json");
  if (!file.open(QIODevice::ReadOnly)) qFatal("the theme is missing from this program");
  return QJsonDocument::fromJson(file.readAll()).object();
}

}  // namespace

Theme::Theme(QObject* parent) : QObject(parent), tokens_(read_tokens()) {
  const QSettings settings;
  asked_ = settings.value("appearance/theme").toString();
  text_scale_ = qBound(0.8, settings.value("appearance/text_scale", 1.0).toDouble(), 2.5);
  reduced_motion_ = qEnvironmentVariableIsSet("LAVASCOPE_REDUCED_MOTION") || settings.value("appearance/reduced_motion", false).toBool();
  apply();
  qApp->installEventFilter(this);
}

Theme* Theme::create(QQmlEngine* engine, QJSEngine*) {
  return new Theme(engine);
}

bool Theme::eventFilter(QObject* watched, QEvent* event) {
  if (watched == qApp && event->type() == QEvent::ApplicationPaletteChange) apply();
  return false;
}

void Theme::set_name(const QString& name) {
  asked_ = name;
  QSettings().setValue("appearance/theme", name);
  apply();
}

void Theme::set_text_scale(double scale) {
  scale = qBound(0.8, scale, 2.5);
  if (qFuzzyCompare(scale, text_scale_)) return;
  text_scale_ = scale;
  QSettings().setValue("appearance/text_scale", scale);
  emit scale_changed();
}

void Theme::set_reduced_motion(bool reduced) {
  if (reduced == reduced_motion_) return;
  reduced_motion_ = reduced;
  QSettings().setValue("appearance/reduced_motion", reduced);
  emit motion_changed();
}

QString Theme::mono() const {
  return QFontDatabase::systemFont(QFontDatabase::FixedFont).family();
}

void Theme::apply() {
  name_ = tokens_.contains(asked_) ? asked_ : system_theme();
  const QJsonObject set = tokens_.value(name_).toObject();
  const auto color = [&](const char* key) { return QColor(set.value(QLatin1String(key)).toString()); };
  side_ = color("side");
  ground_ = color("ground");
  card_ = color("card");
  raised_ = color("raised");
  hover_ = color("hover");
  line_ = color("line");
  control_ = color("control");
  text_ = color("text");
  muted_ = color("muted");
  faint_ = color("faint");
  accent_ = color("accent");
  on_accent_ = color("on_accent");
  ok_ = color("ok");
  warn_ = color("warn");
  error_ = color("error");
  shadow_ = color("shadow");
  line_width_ = set.value("line_width").toInt(1);
  emit changed();
}

QColor Theme::label_color(const QString& label) const {
  return ui::label_color(label).fill;
}

QColor Theme::label_text(const QString& label) const {
  return ui::label_color(label).ink;
}

QColor Theme::alpha(const QColor& color, double alpha) const {
  QColor faded = color;
  faded.setAlphaF(static_cast<float>(alpha));
  return faded;
}

QString Theme::rich(const QString& html, const QColor& link, const QColor& code_ground) const {
  QString text = html;
  text.replace(app::link_color_mark, link.name());
  text.replace(app::code_color_mark, code_ground.name());
  return text;
}

}  // namespace lava::ui
