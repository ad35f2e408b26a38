#include "kernels/selftest/cases.h"

namespace lava::selftest_detail {
namespace {

struct Conv {
  int64_t h, w, ic, oc, kernel;
  int stride, pad_top, pad_left;
  bool bias;
  Activation activation;
};

void add_conv(std::vector<Case>& cases, Conv c, bool depthwise) {
  const std::string name = std::string(depthwise ? "depthwise " : "dense ") + std::to_string(c.h) + " x " + std::to_string(c.w) + " x " +
                           std::to_string(c.ic) + " -> " + std::to_string(c.oc) + ", side " + std::to_string(c.kernel) + ", stride " +
                           std::to_string(c.stride) + ", pad " + std::to_string(c.pad_top) + "/" + std::to_string(c.pad_left);
  cases.push_back({OpId::conv2d, name, float_limit, [=](Builder& b) {
                     Conv2dArgs args;
                     const int64_t oh = (c.h + 2 * c.pad_top - c.kernel) / c.stride + 1, ow = (c.w + 2 * c.pad_left - c.kernel) / c.stride + 1;
                     args.x = b.random({c.h, c.w, c.ic});
                     args.out = b.random({oh, ow, c.oc});
                     args.weight = depthwise ? b.random({c.kernel, c.kernel, c.ic}) : b.random({c.kernel, c.kernel, c.ic, c.oc});
                     if (c.bias) args.bias = b.random({c.oc});
                     args.stride = c.stride, args.pad_top = c.pad_top, args.pad_left = c.pad_left;
                     args.depthwise = depthwise, args.activation = c.activation;
                     ops::conv2d(b.run, args);
                   }});
}

void add_conv_cases(std::vector<Case>& cases) {
  for (const int64_t channels : {1, 3, 16, 24, 96, 144}) {
    add_conv(cases, {11, 14, channels, channels, 3, 1, 1, 1, true, Activation::relu6}, true);
    add_conv(cases, {12, 9, channels, channels, 3, 2, 0, 1, false, Activation::none}, true);
    add_conv(cases, {10, 10, channels, channels, 3, 2, 1, 1, true, Activation::silu}, true);
  }
  add_conv(cases, {9, 9, 32, 32, 7, 1, 3, 3, true, Activation::gelu}, true);
  add_conv(cases, {12, 23, 48, 48, 7, 2, 3, 3, true, Activation::none}, true);
  add_conv(cases, {9, 20, 35, 35, 5, 1, 2, 2, false, Activation::gelu}, true);
  add_conv(cases, {20, 20, 144, 144, 5, 2, 1, 1, true, Activation::relu6}, true);
  add_conv(cases, {10, 10, 72, 72, 5, 1, 2, 2, true, Activation::relu6}, true);
  add_conv(cases, {5, 5, 96, 96, 5, 1, 2, 2, true, Activation::relu6}, true);  // one window lies inside
  add_conv(cases, {2, 2, 40, 40, 3, 1, 1, 1, true, Activation::none}, true);  // no window lies inside
  add_conv(cases, {1, 1, 16, 16, 3, 2, 1, 1, false, Activation::relu}, true);
  add_conv(cases, {31, 33, 3, 32, 3, 2, 1, 1, true, Activation::relu6}, false);
  add_conv(cases, {30, 30, 3, 32, 3, 2, 0, 0, false, Activation::none}, false);
  add_conv(cases, {8, 13, 5, 19, 3, 1, 1, 1, true, Activation::gelu_tanh}, false);
  add_conv(cases, {7, 7, 16, 48, 5, 1, 2, 2, true, Activation::none}, false);
  add_conv(cases, {14, 28, 3, 65, 14, 14, 0, 0, true, Activation::none}, false);
  add_conv(cases, {2, 3, 4, 16, 3, 1, 1, 1, false, Activation::relu}, false);
}

}  // namespace

void add_image_cases(std::vector<Case>& cases) {
  add_conv_cases(cases);
  for (const int64_t patch : {1, 14, 16}) {
    cases.push_back({OpId::patchify, "47 x 60 pixels, side " + std::to_string(patch), 0, [=](Builder& b) {
                       ops::patchify(b.run, b.random({(47 / patch) * (60 / patch), 3 * patch * patch}), b.random({3, 47, 60}), static_cast<int>(patch));
                     }});
  }
  for (const int64_t patch : {1, 14, 16}) {
    cases.push_back({OpId::patchify, "47 x 60 pixels of bytes, side " + std::to_string(patch), 0, [=](Builder& b) {
                       const Tensor out = b.random({(47 / patch) * (60 / patch), 3 * patch * patch});
                       if (!b.run.device.info().fuses) return ops::patchify(b.run, out, b.random({3, 47, 60}), static_cast<int>(patch));
                       ops::patchify_bytes(b.run, out, b.bytes({47, 60, 3}), b.random({3, 256}), static_cast<int>(patch));
                     }});
  }
  for (const int64_t channels : {1, 3, 16, 45}) {
    for (const auto& [oh, ow] : {std::pair<int64_t, int64_t>{5, 31}, {13, 7}, {26, 34}, {1, 1}}) {
      const std::string name = "13 x 17 x " + std::to_string(channels) + " -> " + std::to_string(oh) + " x " + std::to_string(ow);
      cases.push_back({OpId::resize_bilinear, name, float_limit, [=, oh = oh, ow = ow](Builder& b) {
                         ops::resize_bilinear(b.run, b.random({oh, ow, channels}), b.random({13, 17, channels}));
                       }});
    }
    for (const int size : {1, 2, 3}) {
      cases.push_back({OpId::pool_mean, "6 x 12 x " + std::to_string(channels) + ", side " + std::to_string(size), float_limit, [=](Builder& b) {
                         ops::pool_mean(b.run, b.random({6 / size, 12 / size, channels}), b.random({6, 12, channels}), size);
                       }});
    }
  }
  cases.push_back({OpId::resize_bilinear, "rows longer than the scratch", float_limit, [](Builder& b) {
                     ops::resize_bilinear(b.run, b.random({2, 5, 64}), b.random({3, 4200, 64}));
                   }});
  cases.push_back({OpId::copy_rows, "contiguous", 0, [](Builder& b) { ops::copy_rows(b.run, b.random({5, 33}), b.random({5, 33})); }});
  cases.push_back({OpId::copy_rows, "one row", 0, [](Builder& b) { ops::copy_rows(b.run, b.random({300}), b.random({300})); }});
  cases.push_back({OpId::copy_rows, "columns to columns", 0, [](Builder& b) {
                     ops::copy_rows(b.run, b.random({7, 40}).columns(2, 9), b.random({7, 30}).columns(11, 9));
                   }});
  cases.push_back({OpId::copy_rows, "transposed, rank 4", 0, [](Builder& b) {
                     Tensor x = b.random({2, 5, 3, 7});
                     std::swap(x.stride[1], x.stride[3]), std::swap(x.extent[1], x.extent[3]);
                     ops::copy_rows(b.run, b.random({2, 7, 3, 5}), x);
                   }});
}

}  // namespace lava::selftest_detail
