// What the files of the CPU attention share. Included only by *_cpu.cpp files of this folder.
#pragma once
#include "kernels/attention/attention.h"
#include "kernels/lane.h"

namespace lava::LAVA_ISA {

// Whether this call is one for the BF16 kernel of this instruction set.
bool attends_in_bf16(const AttentionArgs& a);
void attend_in_bf16(const AttentionArgs& a, const Lane& lane);

}  // namespace lava::LAVA_ISA
