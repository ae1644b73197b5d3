// Modelled rates, as BENCHMARKS-ARM.md has them; no Arm hardware was used.
#if defined(__aarch64__)
#include <algorithm>
#include <limits>

#include "kernels/bconv2d/neon_cores.h"
#include "kernels/kbit_conv2d/crossover.h"

namespace tfkit::kbit_conv2d {
namespace {

using bconv2d::neon::Loop;

// Products a cycle of one core's kernels, all but the building of tables.
struct Rates {
  double bits;        // of one pair of planes
  double lookups[4];  // of one weight plane, by the activation bits in a table; 0: never
  double dots;        // UDOT
  double multiplies;  // UMLAL
};

Rates RatesOf(Loop loop) {
  switch (loop) {
    case Loop::kLookup:
      return {83, {119, 80, 64, 64}, 31, 8};
    case Loop::kInOrder:
      return {40, {}, 10, 5};
    default:
      return {83, {40, 37, 24, 24}, 31, 8};
  }
}

// A table costs so many cycles before its first lookup.
constexpr double kTableCycles = 9;

constexpr double kNever = std::numeric_limits<double>::infinity();

double LookupCycles(const Geometry& geometry, const Rates& rates) {
  const Filter& filter = geometry.filter;
  const int bits = filter.bases ? 1 : filter.activations.planes;
  const int planes = filter.bases ? filter.activations.planes : 1;
  const double rate = rates.lookups[bits - 1];
  // Sums of pairs are of 16 bits before they are of 32.
  const bool fits = bits > 2 || filter.Depth() * ((1 << bits) - 1) <= 0xffff;
  if (rate == 0 || !fits) return kNever;
  // Channels fill a table of 5, and output channels a vector of 16.
  const double filled = 1.0 * filter.channels_in / ((filter.channels_in + 4) / 5 * 5) *
                        filter.channels_out / ((filter.channels_out + 15) / 16 * 16);
  const double pixels = bits <= 2 ? 2 : 1;
  const double uses = 5 * pixels * filter.Taps() * filter.channels_out /
                      (1.0 * geometry.x.stride * geometry.y.stride);
  return planes * (filter.weights.planes / (rate * filled) + kTableCycles / uses);
}

}  // namespace

Road Crossover(const Geometry& geometry, const Cpu& cpu) {
  const Filter& filter = geometry.filter;
  const Rates rates = RatesOf(bconv2d::neon::LoopFor(cpu));
  const double bits = filter.weights.planes * filter.activations.planes / rates.bits;
  const double bytes =
      filter.Terms() > 1 ? kNever : 1 / (cpu.dotprod ? rates.dots : rates.multiplies);
  const double lookups = LookupCycles(geometry, rates);
  // Bits are counted in 16 bits.
  const bool countable = std::int64_t{filter.Taps()} * filter.PlaneWords() * kWordBits <= 0xffff;
  if (lookups < std::min(bits, bytes)) return Road::kLut;
  return countable && bits <= bytes ? Road::kBitSerial
         : bytes < kNever           ? Road::kInt8
                                    : Road::kBitSerial;
}

}  // namespace tfkit::kbit_conv2d
#endif
