// What the files of the CPU attention share. Included only by *_cpu.cpp files of this folder.
#pragma once
#include "kernels/attention/attention.h"
#include "kernels/lane.h"
#include "kernels/rope/qkv_rope_store.h"

namespace lava::LAVA_ISA {

// Scores are in units of log2, so that weights are powers of two; the lowest lies below all that are real.
constexpr float log2_e = 1.44269504088896341f, lowest_score = -3.0e38f;

// Whether this call is one for the BF16 kernel of this instruction set.
bool attends_in_bf16(const AttentionArgs& a);
void attend_in_bf16(const AttentionArgs& a, const Lane& lane);

// One row; `rope`: rotates q and brings k and v to the cache first. false, with nothing done: its heads are too wide for the scratch.
bool attend_row(const AttentionArgs& a, const QkvRopeStoreArgs* rope, int64_t past, const Lane& lane);

}  // namespace lava::LAVA_ISA
