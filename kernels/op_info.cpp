#include "kernels/ops.h"

namespace lava {
namespace {

template <class Args>
constexpr OpInfo describe(const char* name) {
  return {name, [](void* args, TensorVisitor& visitor) { static_cast<Args*>(args)->visit(visitor); },
          [](const void* args) { return static_cast<const Args*>(args)->cost(); }};
}

template <class... Args>
constexpr bool in_order() {
  constexpr OpId ids[] = {Args::id...};
  for (int i = 0; i < op_count; ++i) {
    if (static_cast<int>(ids[i]) != i) return false;
  }
  return sizeof...(Args) == op_count;
}
static_assert(in_order<LinearArgs, EmbedRowsArgs, RmsNormArgs, LayerNormArgs, QkvRopeStoreArgs, AttentionArgs, GluArgs, ActivateArgs, AddArgs,
                       SoftmaxArgs, Conv2dArgs, PatchifyArgs, ResizeBilinearArgs, PoolMeanArgs, CopyRowsArgs, RopeAttentionArgs>());

constexpr OpInfo infos[op_count] = {
    describe<LinearArgs>("linear"),
    describe<EmbedRowsArgs>("embed_rows"),
    describe<RmsNormArgs>("rms_norm"),
    describe<LayerNormArgs>("layer_norm"),
    describe<QkvRopeStoreArgs>("qkv_rope_store"),
    describe<AttentionArgs>("attention"),
    describe<GluArgs>("glu"),
    describe<ActivateArgs>("activate"),
    describe<AddArgs>("add"),
    describe<SoftmaxArgs>("softmax"),
    describe<Conv2dArgs>("conv2d"),
    describe<PatchifyArgs>("patchify"),
    describe<ResizeBilinearArgs>("resize_bilinear"),
    describe<PoolMeanArgs>("pool_mean"),
    describe<CopyRowsArgs>("copy_rows"),
    describe<RopeAttentionArgs>("rope_attention"),
};

}  // namespace

const OpInfo& op_info(OpId id) {
  LAVA_CHECK(id < OpId::count);
  return infos[static_cast<int>(id)];
}

}  // namespace lava
