// The programs that this one has started.
#pragma once
#include <QCoreApplication>
#include <QDir>
#include <QFile>

// Those that still run.
inline int programs() {
  const QString self = QString::number(QCoreApplication::applicationPid());
  int count = 0;
  for (const QString& pid : QDir("/proc").entryList(QDir::Dirs)) {
    QFile stat("/proc/" + pid + "/stat");
    if (!stat.open(QFile::ReadOnly)) continue;
    const QByteArray line = stat.readAll();
    const QList<QByteArray> fields = line.mid(line.lastIndexOf(')') + 2).split(' ');
    count += fields.value(1) == self.toLatin1() && fields.value(0) != "Z";
  }
  return count;
}
