// A Vulkan loader in front of the real one (it is libvulkan.so.1 to whoever links to it or finds it in $LD_LIBRARY_PATH). It counts and notes
// what is asked of the driver, and answers a chosen call with an error.
//
// Programs choose by $LAVA_LOADER_TROUBLE: "lost:40" loses the device at the 40th call that may report a loss (from 0), "full:12" refuses the
// 12th call for want of memory, "full:12+" every vkAllocateMemory from the 12th call on.
#pragma once
#include <cstdint>
#include <string>

namespace lava::test {

enum class Trouble : uint8_t {
  none,
  lost,         // the device is lost at a call that may report it, and stays lost
  full,         // one call finds no memory
  always_full   // no memory is given from a call on
};

struct TroubledLoader {
  Trouble trouble = Trouble::none;
  int64_t at = 0;       // call, from 0 since reset()
  int64_t calls = 0;    // that could have met this trouble
  bool met = false;
  std::string call;     // that met it
  int64_t alive = 0;    // objects made and not destroyed
  std::string commands;  // recorded: d dispatch, c copy, | barrier on the device

  void reset(Trouble next = Trouble::none, int64_t call = 0) { trouble = next, at = call, calls = 0, met = false, this->call.clear(), commands.clear(); }
};

}  // namespace lava::test

extern "C" __attribute__((visibility("default"))) lava::test::TroubledLoader* lava_troubled_loader();
