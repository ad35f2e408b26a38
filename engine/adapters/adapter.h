// A change to a decoder that can be switched on per request: linear(x) plus a delta. Switched off, nothing of it runs.
#pragma once
#include <span>
#include <string>

#include "engine/models/text_names.h"
#include "kernels/run.h"

namespace lava {

class Adapter {
 public:
  virtual ~Adapter() = default;
  virtual const std::string& name() const = 0;
  virtual bool covers(int layer, LinearRole role) const = 0;
  // x [rows, in] -> out [rows, out] += delta(x); only where covers() holds.
  virtual void add_delta(Run&, int layer, LinearRole role, const Tensor& x, const Tensor& out) const = 0;
};

using Adapters = std::span<const Adapter* const>;  // the active ones, in order

}  // namespace lava
