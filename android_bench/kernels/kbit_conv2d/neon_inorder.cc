// Bit-serial in the order in which in-order cores run it without waiting:
// bconv2d/neon_inorder_steps.h.
#include "kernels/bconv2d/neon_cores.h"
#include "kernels/kbit_conv2d/crossover.h"
#include "kernels/kbit_conv2d/neon_rows.h"
#include "kernels/kbit_conv2d/neon_serial.h"

namespace tfkit::kbit_conv2d {
namespace {

Fit FitOf(const Geometry& geometry, const Cpu& cpu) {
  if (!neon::SerialCan(geometry)) return Fit::kCannot;
  const bool in_order = bconv2d::neon::LoopFor(cpu) == bconv2d::neon::Loop::kInOrder;
  return in_order && Crossover(geometry, cpu) == Road::kBitSerial ? Fit::kSuits : Fit::kCan;
}

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  neon::RunSerial(call, bconv2d::neon::kInOrderLoops, begin, end, own);
}

}  // namespace

const Kernel kernels::neon_inorder = {
    "neon_inorder",        Isa::kNeon, Road::kBitSerial, FitOf, neon::PackSerial,
    neon::SerialWorkspace, 1,          neon::RowUnits,   Run};

}  // namespace tfkit::kbit_conv2d
