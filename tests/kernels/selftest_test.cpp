#include "kernels/selftest/selftest.h"

#include <gtest/gtest.h>

#include <set>

#include "kernels/cpu/isa.h"

namespace lava {
namespace {

class Selftest : public testing::TestWithParam<std::tuple<std::string, int>> {};

TEST_P(Selftest, EveryOpAgreesWithItsReference) {
  CpuOptions options;
  std::tie(options.isa, options.threads) = GetParam();
  auto device = make_cpu_device(options);
  ASSERT_TRUE(device) << device.error().message();
  std::set<std::string> seen;
  for (const SelftestRow& row : selftest(**device)) {
    seen.insert(row.op);
    EXPECT_TRUE(row.ok) << row.op << " [" << row.name << "]: nmse " << row.nmse << ", limit " << row.limit;
  }
  for (int i = 0; i < op_count; ++i) EXPECT_TRUE(seen.count(op_info(static_cast<OpId>(i)).name)) << op_info(static_cast<OpId>(i)).name;
}

// Every op and every kind of numbers is among the few cases of the quick form.
TEST(QuickSelftest, LeavesOutCasesAndNoKind) {
  auto device = make_cpu_device({.threads = 1, .pin = false});
  ASSERT_TRUE(device);
  std::set<std::pair<std::string, std::string>> all, quick;
  const auto rows = selftest(**device), few = selftest(**device, {}, SelftestSize::quick);
  for (const SelftestRow& row : rows) all.emplace(row.op, row.group);
  for (const SelftestRow& row : few) quick.emplace(row.op, row.group);
  EXPECT_EQ(quick, all);
  EXPECT_LT(few.size(), rows.size() / 3);
}

// Instrumented kernels are a hundred times slower: there, one pass at the best level has to do.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
const std::vector<std::string> levels{runnable_levels().back()};
const std::vector<int> thread_counts{2};
#else
const std::vector<std::string> levels = runnable_levels();
const std::vector<int> thread_counts{1, 2, 5};
#endif

INSTANTIATE_TEST_SUITE_P(Levels, Selftest, testing::Combine(testing::ValuesIn(levels), testing::ValuesIn(thread_counts)),
                         [](const auto& info) { return std::get<0>(info.param) + "_" + std::to_string(std::get<1>(info.param)) + "_threads"; });

}  // namespace
}  // namespace lava
