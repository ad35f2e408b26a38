// Every op of a device against its reference: random data, odd shapes, both number formats of caches, strides, in-place use.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "kernels/device.h"

namespace lava {

struct SelftestRow {
  std::string op, name;  // "attention", "3 rows, 4/2 heads of 72, f16"
  double nmse = 0;       // of the values that the reference or the device changed; infinite when memory outside the results changed
  double limit = 0;
  bool ok = false;
  std::string group = {};  // cases of the op whose errors belong together: "Q4_0, 8-bit activations"; may be empty
};

// quick: of every op each eighth case, and the first of every group.
enum class SelftestSize { full, quick };

// Runs the cases whose op is `filter` (all when empty). The device must share the memory of this process.
std::vector<SelftestRow> selftest(Device& device, std::string_view filter = {}, SelftestSize size = SelftestSize::full);

}  // namespace lava
