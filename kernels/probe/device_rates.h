// What a device with memory of its own reaches by what it offers: its copies, its uploads, its products on large shapes.
// Sizes grow until one run takes long enough, and stay smaller where the device has less memory: a device that the processor plays is
// measured in about the same time as a card. Errors are those of the device: lost, or too little memory even for the smallest size.
#pragma once
#include <string>

#include "kernels/device.h"
#include "kernels/dtype.h"
#include "kernels/matrix.h"
#include "kernels/probe/roofs.h"

namespace lava {

// Each takes about `seconds`, beside what the device needs for its first run.

// Bytes/s that copies from one own buffer to another move, read and written ones together.
Result<double> copy_rate(Device& device, double seconds);
// Bytes/s from the processor's pageable memory into an own buffer.
Result<double> upload_rate(Device& device, double seconds);

struct ProductRate {
  double operations = 0;  // per second; multiply and add count as two
  int64_t side = 0;       // of the square matrices that were multiplied
};
// ops::linear on a square matrix of the format and as many rows.
Result<ProductRate> product_rate(Device& device, DType format, Precision precision, double seconds);

// All of them.
Result<Roofs> device_roofs(Device& device, double seconds);

}  // namespace lava
