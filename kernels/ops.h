// The vocabulary of operations. Each function checks shapes once (LAVA_CHECK: a mistake is the caller's) and hands the op to run.device.
// What a device does not fuse (DeviceInfo::fuses) is composed here of smaller ops.
// Shapes, equations and cost stand at the argument struct in the op's folder.
#pragma once
#include <span>

#include "kernels/activation/activate.h"
#include "kernels/attention/attention.h"
#include "kernels/conv/conv2d.h"
#include "kernels/embed/embed_rows.h"
#include "kernels/image/image_ops.h"
#include "kernels/linear/linear.h"
#include "kernels/norm/norm.h"
#include "kernels/rope/qkv_rope_store.h"
#include "kernels/rope/rope_attention.h"
#include "kernels/run.h"

namespace lava::ops {

void linear(Run&, std::span<const LinearTarget> targets, const Tensor& x, const RmsNorm& = {});  // 1..3 targets; takes its scratch from run.arena
// gate.out = act(gate) * up, with the activation of `gate`; up.out is overwritten.
void linear_glu(Run&, const LinearTarget& gate, const LinearTarget& up, const Tensor& x, const RmsNorm& = {});
void embed_rows(Run&, const Tensor& out, const Matrix& table, const Tensor& ids);  // ids i32 [n]
void embed_step(Run&, const Tensor& out, const Matrix& table);                     // out [1, width]; id = run.step->token
void rms_norm(Run&, const Tensor& out, const Tensor& x, const Tensor& weight, float eps);
void layer_norm(Run&, const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps);
void softmax(Run&, const Tensor& out, const Tensor& x);
void qkv_rope_store(Run&, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cos_sin, RopeStyle style, const Tensor& k_cache,
                    const Tensor& v_cache);  // position from run.step
void attention(Run&, const Tensor& out, const Tensor& q, const Tensor& k, const Tensor& v, float scale, bool causal,
               Precision precision = Precision::exact);
// qkv_rope_store, then causal attention of these rows; q is left as it is or rotated.
void rope_attention(Run&, const Tensor& out, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cos_sin, RopeStyle style,
                    const Tensor& k_cache, const Tensor& v_cache, float scale);
void glu(Run&, const Tensor& out, const Tensor& gate, const Tensor& up, Activation kind);
void activate(Run&, const Tensor& out, const Tensor& x, Activation kind);
void add(Run&, const Tensor& out, const Tensor& a, const Tensor& b);
void conv2d(Run&, const Conv2dArgs& args);
void patchify(Run&, const Tensor& out, const Tensor& x, int patch);
// The same from bytes u8 [h, w, channels] and what they stand for, f32 [channels, 256]; only on devices that fuse.
void patchify_bytes(Run&, const Tensor& out, const Tensor& x, const Tensor& table, int patch);
void resize_bilinear(Run&, const Tensor& out, const Tensor& x);
void pool_mean(Run&, const Tensor& out, const Tensor& x, int size);
void copy_rows(Run&, const Tensor& out, const Tensor& x);

}  // namespace lava::ops
