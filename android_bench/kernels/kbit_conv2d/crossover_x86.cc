#if defined(__x86_64__)
#include "kernels/kbit_conv2d/crossover.h"
#include "kernels/kbit_conv2d/lut_layout.h"

namespace tfkit::kbit_conv2d {
namespace {

// Picoseconds of one thread, as README.md's table was measured. Only their ratios matter.
struct Costs {
  double bit_serial;                      // of 1 product of bits
  double lut[kMaxActivationPlanes];       // of 1 product with the first weight plane
  double lut_more[kMaxActivationPlanes];  // and with each further one
  double int8;                            // of 1 product
};

constexpr double kPopcntSerial = 12;
constexpr double kAvx512Serial = 0.92;
constexpr Costs kAvx2 = {kPopcntSerial, {3.0, 2.8, 2.9, 3.2}, {1.9, 1.9, 2.2, 3.0}, 15};
constexpr Costs kAvx512 = {kPopcntSerial, {2.0, 2.0, 2.1, 2.4}, {1.5, 1.4, 1.5, 2.4}, 15};
constexpr double kVnniInt8 = 4.65;

// Tables, of 32 channels of an input pixel, beyond what any road does to a pixel.
constexpr double kTables = 1000;
constexpr double kTablesPlane = 1800;
// A block's indices beyond half the level 1 cache make all lookups slower.
constexpr std::size_t kFewBytes = 16 << 10;
constexpr double kManyBytes = 1.1;

Costs CostsOf(const Cpu& cpu) {
  Costs costs = Has(cpu, Isa::kAvx512Bw) ? kAvx512 : kAvx2;
  if (Has(cpu, Isa::kAvx512Vpopcntdq)) costs.bit_serial = kAvx512Serial;
  if (Has(cpu, Isa::kAvx512Vnni)) costs.int8 = kVnniInt8;
  return costs;
}

}  // namespace

Road Crossover(const Geometry& geometry, const Cpu& cpu) {
  const Filter& filter = geometry.filter;
  if (filter.bases || !Has(cpu, Isa::kAvx2)) return Road::kBitSerial;
  const Costs costs = CostsOf(cpu);
  const int planes = filter.activations.planes;
  const double words = filter.PlaneWords();
  // Of one output pixel and weight plane; channels are rounded up as the kernels do.
  const double outputs =
      static_cast<double>(filter.Taps()) * static_cast<double>(PaddedChannels(filter.channels_out));
  const double products = outputs * words * kWordBits;

  const double bit_serial = products * costs.bit_serial * filter.weights.planes * planes;
  const double bytes = (filter.channels_in + 3) / 4 * 4;
  const double int8 = outputs * bytes * costs.int8;
  const double lookup =
      costs.lut[planes - 1] + costs.lut_more[planes - 1] * (filter.weights.planes - 1);
  const double tables = words * (kTables + kTablesPlane * planes) * geometry.x.stride *
                        static_cast<double>(geometry.y.stride);
  const double lut =
      products * lookup * (LutBlockBytes(filter) > kFewBytes ? kManyBytes : 1.0) + tables;

  if (LutCan(geometry) && lut < bit_serial && lut < int8) return Road::kLut;
  return int8 < bit_serial ? Road::kInt8 : Road::kBitSerial;
}

}  // namespace tfkit::kbit_conv2d
#endif
