// What a command says: the answer on standard output, everything else on standard error.
#pragma once
#include <QString>
#include <optional>

#include "kernels/result.h"

namespace lava::app::terminal {

bool is_terminal_in();
bool is_terminal_out();

void print(const QString& text);    // standard output, flushed; control characters of answers are left out on a terminal
Result<void> output();              // fails when something printed did not arrive
void say(const QString& line);      // a line on standard error
void complain(const Error& error);  // "lavascope-cli: sentence: cause. remedy."
void warn(const QString& sentence);
void progress(const QString& line);  // one changing line on standard error, only when that is a terminal; empty takes it away

QString safe(const QString& text);  // without characters that could command a terminal

// A line of standard input while the event loop runs. nullopt: end of input, or interrupted.
std::optional<QString> read_line(const QString& prompt);

}  // namespace lava::app::terminal
