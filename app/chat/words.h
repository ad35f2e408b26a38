// Sentences and labels of the chat that are built from numbers and dates.
#pragma once
#include <QDateTime>
#include <QJsonObject>
#include <QString>

namespace lava::app {

QString title_of(const QString& question);                          // the first words of a question, at most 60 characters
QString timing_line(const QJsonObject& timings);                    // "38 tok/s · 1.2 s first · 412 tok"
QString date_group(const QDateTime& when, const QDateTime& now);    // Today, Yesterday, 7 days, October, October 2025
QString grouped(qint64 number);                                     // 1,240
QString bytes_line(qint64 bytes);                                   // 212 MB

struct PhaseLine {
  QString text;
  double fraction = -1;  // below 0: no bar
};
PhaseLine loading_line(const QString& phase, double progress);               // Loading model 42 %
PhaseLine asking_line(const QString& phase, int done, int total);            // of a progress event

}  // namespace lava::app
