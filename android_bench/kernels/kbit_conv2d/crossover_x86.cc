#if defined(__x86_64__)
#include "kernels/kbit_conv2d/crossover.h"

namespace tfkit::kbit_conv2d {
namespace {

// Costs of a product, relative to each other: README.md has the measurements.
struct Costs {
  double bit_serial;  // a pair of planes
  double lut;         // a weight plane, of 2 activation planes
  double lut_plane;   // and of each activation plane more
  double int8;
};

Costs CostsOf(const Cpu& cpu) {
  // popcnt counts one word at a time, and without VNNI products take two instructions.
  const double bit_serial = Has(cpu, Isa::kAvx512Vpopcntdq) ? 1.0 : 9.0;
  const double int8 = Has(cpu, Isa::kAvx512Vnni) ? 4.9 : 11.0;
  if (Has(cpu, Isa::kAvx512Bw)) return {bit_serial, 2.0, 0.3, int8};
  return {bit_serial, 2.8, 0.4, int8};
}

}  // namespace

Road Crossover(const Geometry& geometry, const Cpu& cpu) {
  const int weights = geometry.filter.weights.planes;
  const int activations = geometry.filter.activations.planes;
  if (geometry.filter.bases || !Has(cpu, Isa::kAvx2)) return Road::kBitSerial;
  const Costs costs = CostsOf(cpu);
  const double bit_serial = costs.bit_serial * weights * activations;
  const double lut = (costs.lut + costs.lut_plane * (activations - 2)) * weights;
  if (costs.int8 <= bit_serial && costs.int8 <= lut) return Road::kInt8;
  return lut < bit_serial ? Road::kLut : Road::kBitSerial;
}

}  // namespace tfkit::kbit_conv2d
#endif
