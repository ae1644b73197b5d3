// What delegate/group_run.h makes of a kernel with a unit for each output row: it runs a few units,
// lets other ops work on these rows, and only they exist.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/bconv2d_cases.h"
#include "tests/coverage.h"
#include "tests/packing.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using namespace ::tfkit::testing;
using bconv2d::Activation;
using bconv2d::Call;
using bconv2d::Geometry;
using bconv2d::Kernel;
using bconv2d::OutputTransform;

// Every third case of a kind has the property that is hard for some kernel: pairs of rows, strides,
// images of one row, filters taller than the image.
std::vector<Convolution> Cases() {
  std::vector<Convolution> cases;
  Random random(77);
  for (int height : {1, 2, 3, 5, 6}) {
    for (int i = 0; i < 6; ++i) {
      Convolution c;
      c.batch = random.Integer(1, 3);
      c.height = height;
      c.width = random.Integer(1, 18);
      c.groups = i == 5 ? 2 : 1;
      c.channels_in = i == 5 ? 64 : random.Integer(1, 100);
      c.channels_out = i < 2 ? 32 * random.Integer(1, 2) : c.groups * random.Integer(1, 40);
      c.stride_y = i == 3 ? 2 : 1;
      c.stride_x = i == 4 ? 2 : 1;
      c.dilation_y = i == 4 ? 2 : 1;
      c.filter_height = c.filter_width = i == 1 ? 1 : 3;
      c.zero_padding = i % 2 == 1;
      cases.push_back(c);
    }
  }
  return cases;
}

// Runs unit by unit, and pair of units by pair, each over an output full of a pattern: what is not
// of their rows must stay, and what is must be what all units together write.
template <typename T>
void CheckRows(const Kernel& kernel, const Geometry& geometry, const OutputTransform& transform,
               const std::vector<std::uint32_t>& filter, const std::vector<std::uint32_t>& input,
               std::size_t row_size) {
  const std::int64_t rows = geometry.OutputRows();
  const std::vector<T> whole =
      Output<T>(kernel, geometry, transform, filter, input, rows * row_size);
  const bconv2d::PackedFilter packed = kernel.pack(geometry.filter, filter.data());
  const bconv2d::Workspace words = kernel.workspace(geometry);
  for (std::int64_t block : {1, 2}) {
    for (std::int64_t begin = 0; begin < rows; begin += block) {
      const std::int64_t end = std::min(rows, begin + block);
      // Another one than Guarded's, which an unwritten row would keep.
      Guarded<T> output(rows * row_size);
      std::vector<T> expected(rows * row_size, T(93));
      std::copy(expected.begin(), expected.end(), output.data());
      Scratch shared(words.shared), own(words.own);
      const Call call = bconv2d::MakeCall(geometry, transform, packed, input.data(), shared.data(),
                                          output.data());
      for (int stage = 0; stage + 1 < kernel.stages; ++stage) {
        kernel.run(call, stage, 0, kernel.units(geometry, stage), own.data());
      }
      kernel.run(call, kernel.stages - 1, begin, end, own.data());
      std::copy(whole.begin() + begin * row_size, whole.begin() + end * row_size,
                expected.begin() + begin * row_size);
      EXPECT_TRUE(SameBits(expected, output.Take(), {int(rows), int(row_size)}))
          << "units [" << begin << ", " << end << ") of " << rows;
    }
  }
}

TEST(Bconv2dRows, AUnitForEachRowWritesThatRowOnly) {
  std::set<std::string> by_row;
  std::uint64_t stream = 0;
  for (const Convolution& c : Cases()) {
    Random random(++stream);
    SCOPED_TRACE(::testing::Message() << c << ", stream " << stream << ", seed " << Seed());
    const Geometry geometry = GeometryOf(c);
    const int depth = c.channels_in / c.groups;
    const auto input = Pack(random.Signs(std::size_t(c.batch) * c.height * c.width * c.channels_in),
                            c.channels_in);
    const auto filter =
        Pack(random.Signs(std::size_t(c.channels_out) * c.filter_height * c.filter_width * depth),
             depth);
    const std::vector<std::int32_t> threshold(c.channels_out, geometry.filter.Depth() / 2);
    const std::vector<float> multiplier(c.channels_out, 0.37f);
    const float* scale = multiplier.data();
    const auto to_float = bconv2d::FloatOutput(geometry.filter, Activation::kNone, scale, nullptr);
    const auto to_int8 =
        bconv2d::Int8Output(geometry.filter, Activation::kNone, scale, nullptr, 0.25f, -3);
    const auto to_bits = bconv2d::BitpackedOutput(geometry.filter, threshold.data());
    const std::size_t pixels = geometry.x.output;
    ForEachKernel("bconv2d", bconv2d::Kernels(), geometry, bconv2d::Select, [&](const Kernel& k) {
      if (k.units(geometry, k.stages - 1) != geometry.OutputRows()) return;
      by_row.insert(k.name);
      CheckRows<float>(k, geometry, to_float, filter, input, pixels * c.channels_out);
      CheckRows<std::int8_t>(k, geometry, to_int8, filter, input, pixels * c.channels_out);
      if (c.zero_padding && depth % 2 != 0) return;
      CheckRows<std::uint32_t>(k, geometry, to_bits, filter, input,
                               pixels * PackedWords(c.channels_out));
    });
    if (HasFailure()) return;
  }
  // An image of one row has as many pairs of rows as rows, so every kernel that runs here is among
  // them.
  for (const Kernel* kernel : bconv2d::Kernels()) {
    if (Has(HostCpu(), kernel->isa)) {
      EXPECT_EQ(by_row.count(kernel->name), 1u) << kernel->name;
    }
  }
}

}  // namespace
}  // namespace tfkit
