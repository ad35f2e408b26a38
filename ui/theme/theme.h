// The look of the window as one QML singleton: colours of three themes, sizes scaled with the text, motion.
#pragma once
#include <QColor>
#include <QJsonObject>
#include <QObject>
#include <QtQml/qqmlregistration.h>

#include "ui/theme/label_colors.h"

class QQmlEngine;
class QJSEngine;

namespace lava::ui {

class Theme : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_SINGLETON
  Q_PROPERTY(QString name READ name WRITE set_name NOTIFY changed)
  Q_PROPERTY(QString asked READ asked WRITE set_name NOTIFY changed)
  Q_PROPERTY(QColor side MEMBER side_ NOTIFY changed)
  Q_PROPERTY(QColor ground MEMBER ground_ NOTIFY changed)
  Q_PROPERTY(QColor card MEMBER card_ NOTIFY changed)
  Q_PROPERTY(QColor raised MEMBER raised_ NOTIFY changed)
  Q_PROPERTY(QColor hover MEMBER hover_ NOTIFY changed)
  Q_PROPERTY(QColor line MEMBER line_ NOTIFY changed)
  Q_PROPERTY(QColor control MEMBER control_ NOTIFY changed)
  Q_PROPERTY(QColor text MEMBER text_ NOTIFY changed)
  Q_PROPERTY(QColor muted MEMBER muted_ NOTIFY changed)
  Q_PROPERTY(QColor faint MEMBER faint_ NOTIFY changed)
  Q_PROPERTY(QColor accent MEMBER accent_ NOTIFY changed)
  Q_PROPERTY(QColor onAccent MEMBER on_accent_ NOTIFY changed)
  Q_PROPERTY(QColor ok MEMBER ok_ NOTIFY changed)
  Q_PROPERTY(QColor warn MEMBER warn_ NOTIFY changed)
  Q_PROPERTY(QColor error MEMBER error_ NOTIFY changed)
  Q_PROPERTY(QColor shadow MEMBER shadow_ NOTIFY changed)
  Q_PROPERTY(int lineWidth MEMBER line_width_ NOTIFY changed)
  Q_PROPERTY(double textScale READ text_scale WRITE set_text_scale NOTIFY scale_changed)
  Q_PROPERTY(int caption READ caption NOTIFY scale_changed)
  Q_PROPERTY(int body READ body NOTIFY scale_changed)
  Q_PROPERTY(int message READ message NOTIFY scale_changed)
  Q_PROPERTY(int section READ section NOTIFY scale_changed)
  Q_PROPERTY(int hero READ hero NOTIFY scale_changed)
  Q_PROPERTY(int code READ code NOTIFY scale_changed)
  Q_PROPERTY(int controlHeight READ control_height NOTIFY scale_changed)
  Q_PROPERTY(QString mono READ mono CONSTANT)
  Q_PROPERTY(int fade READ fade NOTIFY motion_changed)
  Q_PROPERTY(int slide READ slide NOTIFY motion_changed)
  Q_PROPERTY(bool reducedMotion READ reduced_motion WRITE set_reduced_motion NOTIFY motion_changed)

 public:
  explicit Theme(QObject* parent = nullptr);
  static Theme* create(QQmlEngine*, QJSEngine*);

  QString name() const { return name_; }
  QString asked() const { return asked_; }  // as it was set; empty: like the system
  void set_name(const QString& name);  // light, dark, contrast; empty follows the system
  double text_scale() const { return text_scale_; }
  void set_text_scale(double scale);  // 0.8 .. 2.5
  int caption() const { return scaled(12); }
  int body() const { return scaled(14); }
  int message() const { return scaled(15); }
  int section() const { return scaled(18); }
  int hero() const { return scaled(25); }
  int code() const { return scaled(13); }
  int control_height() const { return 32 + qMax(0, scaled(14) - 14); }
  QString mono() const;
  bool reduced_motion() const { return reduced_motion_; }
  void set_reduced_motion(bool reduced);
  int fade() const { return reduced_motion_ ? 0 : 120; }
  int slide() const { return reduced_motion_ ? 0 : 180; }

  Q_INVOKABLE QColor label_color(const QString& label) const;
  Q_INVOKABLE QColor series_color(int number) const { return ui::series_color(number); }
  Q_INVOKABLE QColor label_text(const QString& label) const;
  Q_INVOKABLE QColor alpha(const QColor& color, double alpha) const;
  // Puts the theme's colours where the Markdown reader left marks for them.
  Q_INVOKABLE QString rich(const QString& html, const QColor& link, const QColor& code_ground) const;

 signals:
  void changed();
  void scale_changed();
  void motion_changed();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  int scaled(int pixels) const { return qRound(pixels * text_scale_); }
  void apply();

  QJsonObject tokens_;
  QString asked_, name_;
  double text_scale_ = 1;
  bool reduced_motion_ = false;
  QColor side_, ground_, card_, raised_, hover_, line_, control_, text_, muted_, faint_, accent_, on_accent_, ok_, warn_, error_, shadow_;
  int line_width_ = 1;
};

}  // namespace lava::ui
