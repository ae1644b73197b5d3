#include "kernels/kbit_conv2d/cost.h"

namespace tfkit::kbit_conv2d {
namespace {

// Products of single bits, of a weight's bit and an activation, or of an activation and a weight.
double PerMicrosecond(const Kernel& kernel) {
  const bool wide = kernel.isa == Isa::kAvx512Bw || kernel.isa == Isa::kAvx512Vpopcntdq ||
                    kernel.isa == Isa::kAvx512Vnni;
  if (kernel.isa == Isa::kBaseline) return 20e3;
  switch (kernel.road) {
    case Road::kLoops:
      return 20e3;
    case Road::kBitSerial:
      return wide ? 900e3 : 60e3;
    case Road::kLut:
      return wide ? 500e3 : 250e3;
    case Road::kInt8:
      return wide ? 200e3 : 50e3;
  }
  return 20e3;
}

}  // namespace

double RoughMicroseconds(const Kernel& kernel, const Geometry& geometry) {
  const Filter& filter = geometry.filter;
  const double products = static_cast<double>(geometry.OutputRows()) * geometry.x.output *
                          filter.channels_out * static_cast<double>(filter.Depth());
  const int weights = kernel.road == Road::kInt8 ? 1 : filter.weights.planes;
  const bool whole = kernel.road == Road::kInt8 || kernel.road == Road::kLut;
  const int activations = whole ? 1 : filter.activations.planes;
  return products * weights * activations / PerMicrosecond(kernel);
}

}  // namespace tfkit::kbit_conv2d
