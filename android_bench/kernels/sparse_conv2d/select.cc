#include "kernels/sparse_conv2d/select.h"

namespace tfkit::sparse_conv2d {

const std::vector<const Kernel*>& Kernels() {
  static const std::vector<const Kernel*> all = {
#define TFKIT_KERNEL(name) &kernels::name,
#include "kernels/sparse_conv2d/kernels.inc"
#undef TFKIT_KERNEL
  };
  return all;
}

Selection<Kernel> Select(const Shape& shape, const Cpu& cpu, const std::string& forced) {
  return SelectFrom(Kernels(), shape, cpu, forced);
}

const Kernel* Fastest(const Cpu& cpu) {
  for (const Kernel* kernel : Kernels()) {
    if (Has(cpu, kernel->isa)) return kernel;
  }
  return &kernels::reference;
}

}  // namespace tfkit::sparse_conv2d
