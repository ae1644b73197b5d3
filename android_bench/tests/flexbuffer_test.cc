#include "delegate/flexbuffer.h"

#include <gtest/gtest.h>

#include "delegate/shape.h"
#include "tests/flexbuffer_writer.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using testing::WriteFlexBufferMap;

IntegerMap Read(const std::vector<std::uint8_t>& bytes) {
  // A copy of exactly this size lets AddressSanitizer see a read beyond it.
  const std::vector<std::uint8_t> exact(bytes);
  return ReadFlexBufferMap(exact.data(), exact.size());
}

std::string ErrorOf(const std::vector<std::uint8_t>& bytes) {
  try {
    Read(bytes);
  } catch (const Unsupported& error) {
    return error.what();
  }
  return "";
}

TEST(FlexBuffer, ReadsWhatLceWrites) {
  // The options of an LceBconv2d as LCE's converter wrote them.
  const char lce[] =
      "channels_in\0dilation_height_factor\0dilation_width_factor\0fused_activation_function\0"
      "pad_values\0padding\0stride_height\0stride_width\0"
      "\x08\x82waL3)\"\x15\x08\x01\x08\x20\x01\x01\x00\x01\x00\x01\x01\x04\x04\x04\x04\x04\x04\x04"
      "\x04\x10$\x01";
  const IntegerMap expected = {{"channels_in", 32},
                               {"dilation_height_factor", 1},
                               {"dilation_width_factor", 1},
                               {"fused_activation_function", 0},
                               {"pad_values", 1},
                               {"padding", 0},
                               {"stride_height", 1},
                               {"stride_width", 1}};
  EXPECT_EQ(ReadFlexBufferMap(lce, sizeof lce - 1), expected);
  // Padding between the parts, values of two bytes, one of them negative, from FlatBuffers' own
  // Python writer.
  const char python[] =
      "padding\0stride_width\0stride_height\0\x03$\x10\x1e\0\x04\0\x01\0\x03\0\0\0,\x01\xfe\xff"
      "\x05\x05\x05\t%\x01";
  const IntegerMap two_bytes = {{"padding", 0}, {"stride_height", 300}, {"stride_width", -2}};
  EXPECT_EQ(ReadFlexBufferMap(python, sizeof python - 1), two_bytes);
}

TEST(FlexBuffer, ReadsEveryWidthAndSign) {
  for (int width : {1, 2, 4, 8}) {
    const IntegerMap map = {{"a", 1}, {"b", -1}, {"c", 0}, {"d", 127}, {"e", -128}};
    EXPECT_EQ(Read(WriteFlexBufferMap(map, width)), map) << width;
  }
  const IntegerMap large = {{"max", INT64_MAX}, {"min", INT64_MIN}};
  EXPECT_EQ(Read(WriteFlexBufferMap(large, 8)), large);
}

TEST(FlexBuffer, RefusesOtherRoots) {
  EXPECT_EQ(ErrorOf({}), "the options are missing");
  EXPECT_EQ(ErrorOf({1, 4, 1}), "the options are not a FlexBuffer map");  // the integer 1
  std::vector<std::uint8_t> bytes = WriteFlexBufferMap({{"a", 1}});
  bytes.back() = 3;  // no such width
  EXPECT_EQ(ErrorOf(bytes), "the options are not a FlexBuffer map");
}

TEST(FlexBuffer, RefusesValuesThatAreNotIntegers) {
  std::vector<std::uint8_t> bytes = WriteFlexBufferMap({{"stride", 1}}, 4);
  bytes[bytes.size() - 7] = 3 << 2 | 2;  // float32
  EXPECT_EQ(ErrorOf(bytes), "the option 'stride' is not an integer");
}

TEST(FlexBuffer, RefusesDuplicates) {
  std::vector<std::uint8_t> bytes = WriteFlexBufferMap({{"aa", 1}, {"ab", 1}}, 4);
  bytes[4] = 'a';
  EXPECT_EQ(ErrorOf(bytes), "the option 'aa' is given twice");
}

// Keys come from the file and end up in messages, which Python takes for UTF-8.
TEST(FlexBuffer, MessagesAreText) {
  std::vector<std::uint8_t> bytes = WriteFlexBufferMap({{"aab", 1}, {"abb", 1}}, 4);
  const std::uint8_t key[] = {0xff, 0x1b, 'b'};
  std::copy(std::begin(key), std::end(key), bytes.begin());
  std::copy(std::begin(key), std::end(key), bytes.begin() + 4);
  EXPECT_EQ(ErrorOf(bytes), "the option '??b' is given twice");
}

// Keys may overlap: n suffixes of one text of n characters would take n * n / 2 bytes.
TEST(FlexBuffer, RefusesMoreThanOptionsNeed) {
  IntegerMap many;
  for (int i = 0; i < 65; ++i) many["option" + std::to_string(i)] = i;
  EXPECT_EQ(ErrorOf(WriteFlexBufferMap(many, 4)), "the options are 65, which is too many");
  many.erase("option0");
  EXPECT_EQ(Read(WriteFlexBufferMap(many, 4)), many);

  EXPECT_EQ(ErrorOf(WriteFlexBufferMap({{std::string(64, 'k'), 1}})),
            "the options are not a FlexBuffer map");
  const IntegerMap longest = {{std::string(63, 'k'), 1}};
  EXPECT_EQ(Read(WriteFlexBufferMap(longest)), longest);
}

// Whatever the bytes: a map or an error, and no read outside them (AddressSanitizer's job).
TEST(FlexBuffer, SurvivesTruncationAndMutation) {
  const std::vector<std::uint8_t> good =
      WriteFlexBufferMap({{"padding", 0}, {"stride_height", 2}, {"stride_width", 2}}, 2);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(ErrorOf(std::vector<std::uint8_t>(good.begin(), good.begin() + size)), "") << size;
  }
  testing::Random random(1);
  int refused = 0;
  for (int i = 0; i < 50000; ++i) {
    std::vector<std::uint8_t> bytes = good;
    for (int k = random.Integer(1, 4); k > 0; --k) {
      bytes[random.Integer(0, static_cast<int>(bytes.size()) - 1)] =
          static_cast<std::uint8_t>(random.Integer(0, 255));
    }
    refused += ErrorOf(bytes) != "";
  }
  EXPECT_GT(refused, 10000);
}

}  // namespace
}  // namespace tfkit
