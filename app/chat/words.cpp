#include "app/chat/words.h"

#include <QLocale>
#include <QStringList>

namespace lava::app {

QString title_of(const QString& question) {
  QString title = question.simplified();
  if (title.isEmpty()) return "Picture";
  if (title.size() <= 60) return title;
  title.truncate(60);
  const qsizetype space = title.lastIndexOf(' ');
  if (space > 30) title.truncate(space);
  else if (title.back().isHighSurrogate()) title.chop(1);
  return title + QChar(0x2026);
}

QString timing_line(const QJsonObject& timings) {
  QStringList parts;
  const double rate = timings.value("tokens_per_s").toDouble(), first = timings.value("first_token_ms").toDouble();
  const qint64 tokens = timings.value("decode_tokens").toInteger();
  if (rate > 0) parts += QString::number(rate, 'f', rate < 10 ? 1 : 0) + " tok/s";
  if (first > 0) parts += (first < 1000 ? QString::number(first, 'f', 0) + " ms" : QString::number(first / 1000, 'f', 1) + " s") + " first";
  if (tokens > 0) parts += grouped(tokens) + " tok";
  return parts.join(QString(" ") + QChar(0xB7) + ' ');
}

QString date_group(const QDateTime& when, const QDateTime& now) {
  const QDate date = when.toLocalTime().date(), today = now.toLocalTime().date();
  const qint64 days = date.daysTo(today);
  if (days <= 0) return "Today";
  if (days == 1) return "Yesterday";
  if (days < 7) return "7 days";
  const QString month = QLocale(QLocale::English).standaloneMonthName(date.month());
  return date.year() == today.year() ? month : month + ' ' + QString::number(date.year());
}

QString grouped(qint64 number) {
  return QLocale(QLocale::English).toString(number);
}

QString bytes_line(qint64 bytes) {
  if (bytes < 1000 * 1000) return QString::number(bytes / 1000) + " kB";
  if (bytes < 1000ll * 1000 * 1000) return QString::number(bytes / 1000000) + " MB";
  return QString::number(static_cast<double>(bytes) / 1e9, 'f', 1) + " GB";
}

PhaseLine loading_line(const QString& phase, double progress) {
  const QString what = phase.isEmpty() ? "Loading model" : phase;
  if (progress <= 0) return {what, -1};
  return {what + QString(" %1 %").arg(static_cast<int>(progress * 100)), progress};
}

PhaseLine asking_line(const QString& phase, int done, int total) {
  const double fraction = total > 0 ? qBound(0.0, static_cast<double>(done) / total, 1.0) : -1;
  if (phase == "queued") return {total > 0 ? QString("Waiting, %1 ahead").arg(total) : "Waiting", -1};
  if (phase == "picture") return {QString("Reading image %1 of %2").arg(qMin(done + 1, total)).arg(total), fraction};
  if (phase == "prompt") return {QString("Reading prompt %1/%2").arg(grouped(done), grouped(total)), fraction};
  return {"Writing", -1};
}

}  // namespace lava::app
