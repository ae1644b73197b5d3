// Bit-serial for out-of-order cores, which schedule it themselves.
#include "kernels/kbit_conv2d/neon_rows.h"
#include "kernels/kbit_conv2d/neon_serial.h"

namespace tfkit::kbit_conv2d {
namespace {

// Any core can; those for which there is something better have that before this one in the list.
Fit FitOf(const Geometry& geometry, const Cpu&) {
  return neon::SerialCan(geometry) ? Fit::kSuits : Fit::kCannot;
}

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  neon::RunSerial(call, bconv2d::neon::kXnorLoops, begin, end, own);
}

}  // namespace

const Kernel kernels::neon = {"neon", Isa::kNeon,       Road::kBitSerial,
                              FitOf,  neon::PackSerial, neon::SerialWorkspace,
                              1,      neon::RowUnits,   Run};

}  // namespace tfkit::kbit_conv2d
