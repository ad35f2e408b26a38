// What tests of the engine's popover, its form and the settings look for.
#pragma once
#include "tests/support/ui/window_fixture.h"
#include "ui/theme/theme.h"

namespace lava::test {

// As the engine's program lists them: a card, a device that is software, the processor, and a part that cannot be used.
inline constexpr char two_devices[] = R"json({"devices":[
  {"choice":"cuda:0","name":"Card of the House","memory":25000000000,"integrated":false,"software":false},
  {"choice":"vulkan:0","name":"llvmpipe (LLVM 15.0.6, 256 bits)","memory":2147483648,"integrated":true,"software":true},
  {"choice":"cpu","name":"Fake Processor","memory":0,"integrated":false,"software":false}],"problems":["The Other part cannot be used: it is old."],"absent":[]})json";

ui::Theme* theme_of(const WindowFixture& f);  // of its window
QString text(QQuickItem* item);
QString spoken(QQuickItem* item);  // its name, as it is read aloud
QString choice_of(QQuickItem* row);
QQuickItem* row_of(const WindowFixture& f, const QString& choice, const char* rows = "device_row");
// The object name of what has the keyboard, of a row its choice.
QString focused(const WindowFixture& f);
bool tab_to(WindowFixture& f, const QString& name);  // with Tab alone
bool open_popover(WindowFixture& f);
// The popup that an item is in lies in the window, nothing in it is cut off, and these of its buttons lie in it. Empty when all is well.
QString misfit(const WindowFixture& f, QQuickItem* item, const QStringList& buttons);
// Rows `size` of a test, and what it does in a window of that size with text of double size, the pill on screen.
void sizes_for_fitting();
void at_twice_the_size(WindowFixture& f, const std::function<void()>& what);

}  // namespace lava::test
