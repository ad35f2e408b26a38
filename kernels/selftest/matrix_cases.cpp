#include <array>

#include "kernels/formats/formats.h"
#include "kernels/linear/prepared.h"
#include "kernels/selftest/cases.h"

namespace lava::selftest_detail {
namespace {

constexpr double exact_limit = 1e-11;

// NMSE of products with 8-bit activations: the worst over the cases below, measured in November 2026 with `selftest --op linear --verbose`. It is
// the same bits at every instruction set that multiplies in integers and with any number of threads: weights stay as they are, sums follow the same
// order, and rounding the activations is all that is lost. A code's step is 1/127 of the block's largest value, so evenly spread values lose
// 1/127^2/12 of their square or 1.5e-5 of their power, in any format; a block with an outlier is rounded at the outlier's step, which costs ten times
// that. What differs between the formats is the chance of a few dozen products; the limits leave half as much again for it.
// Unquantised weights that are multiplied in BF16 lose what rounding to 8 bits of mantissa costs: of the activations, and of F32 and F16 weights.
// Outliers make no difference there (and have no cases).
struct RoundingError {
  DType format;
  double plain, outliers;
};
constexpr std::array<RoundingError, 11> rounding_errors{{
    {DType::f32, 4.74e-6, 0},
    {DType::f16, 5.80e-6, 0},
    {DType::bf16, 2.42e-6, 0},
    {DType::q4_0, 2.20e-5, 1.96e-4},
    {DType::q4_1, 1.75e-5, 1.81e-4},
    {DType::q5_0, 1.74e-5, 2.04e-4},
    {DType::q5_1, 1.60e-5, 1.88e-4},
    {DType::q8_0, 1.96e-5, 1.68e-4},
    {DType::q4_k, 1.56e-5, 1.79e-4},
    {DType::q5_k, 1.62e-5, 1.97e-4},
    {DType::q6_k, 2.10e-5, 1.81e-4},
}};
constexpr double margin = 1.5;

enum class Activations : uint8_t { plain, outliers };

struct Shape {
  int64_t rows, out, in;
};

struct Form {
  DType format;
  MatrixLayout layout;
  Precision precision;
  Activations activations = Activations::plain;

  Matrix matrix() const { return {format, layout, precision}; }
  bool rounds(int64_t rows) const { return takes_prepared(matrix()) || takes_bf16(matrix(), rows); }
  std::string group(int64_t rows) const {
    const char* numbers = !rounds(rows) ? ", float activations" : is_quantized(format) ? ", 8-bit activations" : ", BF16 products";
    constexpr int64_t many = 32;  // devices multiply so many in another way
    return std::string(dtype_info(format).name) + numbers + (activations == Activations::outliers ? " with outliers" : "") + (rounds(rows) && rows >= many ? ", many rows" : "");
  }
  double limit(int64_t rows) const {
    if (!rounds(rows)) return exact_limit;
    for (const RoundingError& error : rounding_errors)
      if (error.format == format) return margin * (activations == Activations::outliers ? error.outliers : error.plain);
    return exact_limit;
  }
};

std::string name_of(const Form& form, const Shape& s) {
  return std::string(dtype_info(form.format).name) + (form.layout == MatrixLayout::interleaved16 ? " interleaved" : "") +
         " " + precision_name(form.precision) + (form.activations == Activations::outliers ? " with outliers, " : ", ") +
         std::to_string(s.rows) + " x " + std::to_string(s.in) + " -> " + std::to_string(s.out);
}

void add_linear(std::vector<Case>& cases, const Form& form, Shape s) {
  cases.push_back({OpId::linear, name_of(form, s), form.limit(s.rows),
                   [=](Builder& b) {
                     LinearTarget target;
                     target.weight = b.matrix(form.format, form.layout, form.precision, s.out, s.in);
                     target.bias = b.random({s.out});
                     target.out = b.random({s.rows, s.out});
                     target.activation = Activation::none;
                     const bool outliers = form.activations == Activations::outliers;
                     ops::linear(b.run, std::array{target}, outliers ? b.random_with_outliers({s.rows, s.in}) : b.random({s.rows, s.in}));
                   },
                   form.group(s.rows)});
}

// One result alone may be small against its terms; of positive terms it is not, and errors of either sign average out in it.
void add_lone(std::vector<Case>& cases, const Form& form) {
  const double averaged = form.rounds(1) ? 0.05 : 1;
  cases.push_back({OpId::linear, name_of(form, {1, 1, 256}) + ", positive", averaged * form.limit(1), [=](Builder& b) {
                     LinearTarget target;
                     target.weight = b.matrix(form.format, form.layout, form.precision, 1, 256, 0);
                     target.out = b.random({1, 1});
                     ops::linear(b.run, std::array{target}, b.random_between({1, 256}, 0, 1));
                   }});
}

// Three targets of one x: plain, activated, accumulated.
void add_three(std::vector<Case>& cases, const Form& form, Shape s) {
  cases.push_back({OpId::linear, "three targets, " + name_of(form, s), form.limit(s.rows),
                   [=](Builder& b) {
                     std::array<LinearTarget, 3> targets;
                     for (int i = 0; i < 3; ++i) {
                       const int64_t out = s.out + 16 * i;
                       targets[i].weight = b.matrix(form.format, form.layout, form.precision, out, s.in);
                       targets[i].out = b.random({s.rows, out});
                     }
                     targets[1].activation = Activation::gelu, targets[2].accumulate = true;
                     ops::linear(b.run, targets, b.random({s.rows, s.in}));
                   },
                   form.group(s.rows)});
}

// Few rows have more outputs: the error of few products says little of what is usual.
void add_rows(std::vector<Case>& cases, const Form& form) {
  for (const int64_t rows : {1, 2, 3, 5, 8, 9, 33}) add_linear(cases, form, {rows, rows < 5 ? 168 : 40, 512});
}

// The widest rows of 7B models, and activations with outliers: where 8 bits lose most.
void add_hard(std::vector<Case>& cases, DType format) {
  for (const Activations activations : {Activations::plain, Activations::outliers}) {
    const Form form{format, MatrixLayout::interleaved16, Precision::fast, activations};
    if (activations == Activations::outliers) add_rows(cases, form);
    add_linear(cases, form, {6, 88, 4096});
    add_linear(cases, form, {1, 168, 11008});
    for (const int64_t rows : {7, 20}) add_linear(cases, form, {rows, 40, 11008});
  }
  add_linear(cases, {format, MatrixLayout::interleaved16, Precision::exact}, {2, 17, 11008});
}

// The gated pair of a feed-forward layer: the errors of both products add up.
void add_gated(std::vector<Case>& cases, const Form& form, Shape s) {
  cases.push_back({OpId::linear, "gated, " + name_of(form, s), 3 * form.limit(s.rows), [=](Builder& b) {
                     const auto target = [&](Activation activation) {
                       LinearTarget one;
                       one.weight = b.matrix(form.format, form.layout, form.precision, s.out, s.in);
                       one.out = b.random({s.rows, s.out});
                       one.activation = activation;
                       return one;
                     };
                     const LinearTarget gate = target(Activation::silu), up = target(Activation::none);
                     ops::linear_glu(b.run, gate, up, b.random({s.rows, s.in}));
                   }});
}

// A norm goes before, as at the beginning of a layer.
void add_normed(std::vector<Case>& cases, const Form& form, Shape s) {
  cases.push_back({OpId::linear, "normed, " + name_of(form, s), 2 * form.limit(s.rows), [=](Builder& b) {
                     LinearTarget plain, adding;
                     for (LinearTarget* target : {&plain, &adding}) {
                       target->weight = b.matrix(form.format, form.layout, form.precision, s.out, s.in);
                       target->out = b.random({s.rows, s.out});
                     }
                     adding.accumulate = true;
                     const RmsNorm norm{b.random_between({s.in}, 0.5f, 1.5f), 1e-5f};
                     ops::linear(b.run, std::array{plain, adding}, b.random({s.rows, s.in}, 3), norm);
                   }});
}

// Targets that take x in different forms, normed once.
void add_mixed(std::vector<Case>& cases, int64_t rows) {
  cases.push_back({OpId::linear, "normed, Q4_0 fast, BF16 and F32 exact together, " + std::to_string(rows) + " rows", 1e-4, [=](Builder& b) {
                     const Form forms[] = {{DType::q4_0, MatrixLayout::interleaved16, Precision::fast}, {DType::bf16, MatrixLayout::rows, Precision::fast}, {DType::f32, MatrixLayout::rows, Precision::exact}};
                     std::array<LinearTarget, 3> targets;
                     for (size_t i = 0; i < targets.size(); ++i) {
                       targets[i].weight = b.matrix(forms[i].format, forms[i].layout, forms[i].precision, 72, 224);
                       targets[i].out = b.random({rows, 72});
                     }
                     ops::linear(b.run, targets, b.random({rows, 224}), RmsNorm{b.random_between({224}, 0.5f, 1.5f), 1e-6f});
                   }});
}

void add_embed(std::vector<Case>& cases, DType format, MatrixLayout layout) {
  const Form form{format, layout, Precision::exact};
  cases.push_back({OpId::embed_rows, name_of(form, {7, 37, 256}), exact_limit, [=](Builder& b) {
                     ops::embed_rows(b.run, b.random({7, 256}), b.matrix(format, layout, Precision::exact, 37, 256), b.ids(7, 37));
                   }});
  cases.push_back({OpId::embed_rows, "step, " + name_of(form, {1, 21, 256}), exact_limit, [=](Builder& b) {
                     b.run.step->token = 20;
                     ops::embed_step(b.run, b.random({1, 256}), b.matrix(format, layout, Precision::exact, 21, 256));
                   }});
}

void add_shapes(std::vector<Case>& cases, const Form& form) {
  add_rows(cases, form);
  add_linear(cases, form, {4, 89, 768});
  add_lone(cases, form);
  add_three(cases, form, {1, 152, 256});
  add_three(cases, form, {6, 71, 512});
  if (!is_quantized(form.format)) add_linear(cases, form, {5, 33, 75});
}

}  // namespace

void add_matrix_cases(std::vector<Case>& cases) {
  for (int i = 0; i < dtype_count; ++i) {
    const auto format = static_cast<DType>(i);
    if (!is_weight_format(format)) continue;
    for (const MatrixLayout layout : {MatrixLayout::rows, MatrixLayout::interleaved16}) {
      if (layout == MatrixLayout::interleaved16 && !can_interleave(format)) continue;
      for (const Precision precision : {Precision::exact, Precision::fast}) add_shapes(cases, {format, layout, precision});
      add_embed(cases, format, layout);
    }
    if (is_quantized(format)) add_hard(cases, format);
  }
  for (const DType format : {DType::f32, DType::bf16, DType::q4_0, DType::q4_1, DType::q4_k, DType::q6_k})
    for (const Precision precision : {Precision::exact, Precision::fast})
      for (const Shape shape : {Shape{1, 200, 256}, {3, 17, 256}, {70, 200, 512}, {70, 33, 256}})
        add_gated(cases, {format, is_quantized(format) ? MatrixLayout::interleaved16 : MatrixLayout::rows, precision}, shape);
  for (const DType format : {DType::f32, DType::bf16, DType::q4_1, DType::q6_k})
    for (const Precision precision : {Precision::exact, Precision::fast})
      for (const Shape shape : {Shape{1, 200, 512}, {3, 72, 1024}, {70, 200, 256}})
        add_normed(cases, {format, is_quantized(format) ? MatrixLayout::interleaved16 : MatrixLayout::rows, precision}, shape);
  add_normed(cases, {DType::q8_0, MatrixLayout::interleaved16, Precision::fast}, {1, 32, 65536});  // too wide for a lane's scratch
  for (const int64_t rows : {1, 5, 40}) add_mixed(cases, rows);
  for (const DType format : {DType::f32, DType::f16, DType::bf16})
    for (const Shape shape : {Shape{4, 16, 64}, {5, 33, 75}, {9, 40, 512}, {70, 130, 2100}}) add_linear(cases, {format, MatrixLayout::rows, Precision::bf16}, shape);
}

}  // namespace lava::selftest_detail
