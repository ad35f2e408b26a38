// A decoder's step: rotation and storing happen in the kernel that attends (kernels/attention/attention_few.cu).
#include "kernels/rope/rope_attention.h"

#include "kernels/attention/attention_cuda.cuh"

namespace lava::cuda {

void rope_attention(const void* args, Stream& stream) {
  const auto& a = *static_cast<const RopeAttentionArgs*>(args);
  const AttentionArgs attention = a.attention();
  const int64_t context = attention.k.extent[1], past = stream.most_past(attention.step, context);
  attend_step(attention_of(attention, stream), rope_of(a.rope, stream), past + 1 < context ? past + 1 : context, stream);
}

}  // namespace lava::cuda
