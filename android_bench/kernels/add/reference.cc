// The definition.
#include "kernels/add/kernel.h"

namespace tfkit::add {
namespace {

void Floats(const Shape& shape, const float* a, const float* b, float* sums) {
  for (std::size_t i = 0; i < shape.elements; ++i) sums[i] = a[i] + b[i];
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

}  // namespace

const Kernel kernels::reference = {"reference", Isa::kBaseline, Suits, Floats};

}  // namespace tfkit::add
