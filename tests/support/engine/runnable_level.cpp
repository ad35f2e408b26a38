// Where LAVASCOPE_ISA names an instruction set that this processor lacks, the whole program is skipped.
#include <gtest/gtest.h>

#include <cstdlib>

#include "kernels/cpu/isa.h"

namespace lava::test {
namespace {

class RunnableLevel : public testing::Environment {
  void SetUp() override {
    if (!std::getenv("LAVASCOPE_ISA")) return;
    const auto level = choose_level("");
    if (!level) GTEST_SKIP() << level.error().message();
  }
};

const testing::Environment* const registered = testing::AddGlobalTestEnvironment(new RunnableLevel);

}  // namespace
}  // namespace lava::test
