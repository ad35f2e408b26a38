#include "app/cli/terminal.h"

#include <poll.h>
#include <unistd.h>

#include <QEventLoop>
#include <QSocketNotifier>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "app/cli/interrupts.h"

namespace lava::app::terminal {
namespace {

bool progress_shown = false;
int output_error = 0;  // errno of the first print that failed
bool is_terminal_error() { return ::isatty(STDERR_FILENO) == 1; }

void write_error(const QString& text) {
  const QByteArray bytes = text.toUtf8();
  std::fwrite(bytes.constData(), 1, static_cast<size_t>(bytes.size()), stderr);
  std::fflush(stderr);
}

}  // namespace

bool is_terminal_in() { return ::isatty(STDIN_FILENO) == 1; }
bool is_terminal_out() { return ::isatty(STDOUT_FILENO) == 1; }

QString safe(const QString& text) {
  QString result;
  result.reserve(text.size());
  for (const QChar c : text) {
    const char16_t u = c.unicode();
    const bool turns_direction = (u >= 0x202A && u <= 0x202E) || (u >= 0x2066 && u <= 0x2069);
    if (u == '\n' || u == '\t' || !((u < 0x20) || (u >= 0x7f && u < 0xa0) || turns_direction)) result += c;
  }
  return result;
}

void print(const QString& text) {
  progress({});
  const QByteArray bytes = (is_terminal_out() ? safe(text) : text).toUtf8();
  const auto size = static_cast<size_t>(bytes.size());
  if ((std::fwrite(bytes.constData(), 1, size, stdout) != size || std::fflush(stdout) != 0) && output_error == 0) output_error = errno;
}

Result<void> output() {
  if (output_error == 0) return {};
  return fail(Error::Kind::io, "Not everything could be written to the standard output", std::strerror(output_error),
              "Check the free space, or what reads it");
}

void say(const QString& line) {
  progress({});
  write_error(safe(line) + "\n");
}

void complain(const Error& error) { say("lavascope-cli: " + QString::fromStdString(error.message())); }
void warn(const QString& sentence) { say("lavascope-cli: " + sentence); }

void progress(const QString& line) {
  if (!is_terminal_error() || (line.isEmpty() && !progress_shown)) return;
  write_error("\r\033[K" + safe(line));
  progress_shown = !line.isEmpty();
}

std::optional<QString> read_line(const QString& prompt) {
  static QByteArray rest;
  static bool ended = false;
  if (is_terminal_in()) print(prompt);
  QEventLoop loop;
  QSocketNotifier input(STDIN_FILENO, QSocketNotifier::Read);
  bool interrupted = false;
  QObject::connect(&Interrupts::instance(), &Interrupts::happened, &loop, [&] {
    interrupted = true;
    loop.quit();
  });
  QObject::connect(&input, &QSocketNotifier::activated, &loop, [&] {
    char bytes[4096];
    const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (count > 0) rest.append(bytes, count);
    ended = count <= 0;
    if (ended || rest.contains('\n')) loop.quit();
  });
  if (!ended && !rest.contains('\n')) loop.exec();
  if (interrupted) {
    rest.clear();
    return std::nullopt;
  }
  const qsizetype end = rest.indexOf('\n');
  if (end < 0 && rest.isEmpty()) return std::nullopt;
  const QByteArray line = end < 0 ? std::exchange(rest, {}) : rest.left(end);
  if (end >= 0) rest.remove(0, end + 1);
  return QString::fromUtf8(line).trimmed();
}

}  // namespace lava::app::terminal
