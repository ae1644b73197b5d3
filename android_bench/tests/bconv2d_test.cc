// Binary convolutions of many shapes, by every kernel.
#include <gtest/gtest.h>

#include <vector>

#include "tests/bconv2d_cases.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using testing::CheckAll;
using testing::Convolution;
using testing::Random;

// Around the tile (4 channels x 2 pixels), the word and the 64-bit word.
TEST(Bconv2d, ChannelsAroundTheTile) {
  std::vector<Convolution> cases;
  for (int channels_in : {1, 2, 31, 32, 33, 63, 64, 65, 96, 97}) {
    for (int channels_out : {1, 3, 4, 5, 7, 8, 31, 32, 33}) {
      for (bool zero : {false, true}) {
        Convolution c;
        c.height = 3;
        c.width = 4;
        c.channels_in = channels_in;
        c.channels_out = channels_out;
        c.zero_padding = zero;
        cases.push_back(c);
      }
    }
  }
  CheckAll(cases);
}

// Around the widest tiles: 64 channels in a pass, vectors of 16 and 8, blocks of 32.
TEST(Bconv2d, ChannelsAroundTheWidestTile) {
  std::vector<Convolution> cases;
  for (int channels_out : {15, 16, 17, 47, 48, 49, 63, 64, 65, 79, 97, 127, 128, 131, 193}) {
    for (int channels_in : {32, 67, 160}) {
      Convolution c;
      c.height = 3;
      c.width = 5;
      c.channels_in = channels_in;
      c.channels_out = channels_out;
      c.zero_padding = channels_out % 2 == 0;
      cases.push_back(c);
    }
  }
  for (int groups : {2, 3}) {
    for (int outputs : {17, 32, 64, 96}) {
      Convolution c;
      c.groups = groups;
      c.channels_in = groups * 64;
      c.channels_out = groups * outputs;
      c.zero_padding = groups == 2;
      cases.push_back(c);
    }
  }
  CheckAll(cases);
}

TEST(Bconv2d, WidthsAroundTheTile) {
  std::vector<Convolution> cases;
  for (int width : {1, 2, 3, 4, 5, 7, 11}) {
    for (int filter : {1, 2, 3, 5}) {
      for (bool zero : {false, true}) {
        Convolution c;
        c.batch = 2;
        c.height = 2;
        c.width = width;
        c.filter_height = c.filter_width = filter;
        c.channels_in = 36;
        c.zero_padding = zero;
        cases.push_back(c);
      }
    }
  }
  CheckAll(cases);
}

// Around the tiles of the NEON kernels: 8 pixels, 64 output channels, steps of 128 bits, and chunks
// of lookups that end inside a row of the filter.
TEST(Bconv2d, ChannelsAndWidthsAroundLargeTiles) {
  std::vector<Convolution> cases;
  for (int channels_out : {48, 64, 72, 129}) {
    for (int channels_in : {64, 96, 128, 257}) {
      for (int width : {7, 8, 17}) {
        Convolution c;
        c.height = 3;
        c.width = width;
        c.channels_in = channels_in;
        c.channels_out = channels_out;
        c.zero_padding = channels_in == 96;
        cases.push_back(c);
      }
    }
  }
  CheckAll(cases);
}

TEST(Bconv2d, Groups) {
  std::vector<Convolution> cases;
  for (int groups : {2, 3, 4}) {
    for (int per_group : {32, 64, 96}) {
      for (int outputs : {1, 3, 4, 5}) {
        Convolution c;
        c.groups = groups;
        c.channels_in = groups * per_group;
        c.channels_out = groups * outputs;
        c.zero_padding = outputs % 2 == 0;
        cases.push_back(c);
      }
    }
  }
  CheckAll(cases);
}

TEST(Bconv2d, RandomGeometry) {
  Random random(4711);
  std::vector<Convolution> cases;
  while (cases.size() < 150) {
    Convolution c;
    c.batch = random.Integer(1, 2);
    c.height = random.Integer(1, 9);
    c.width = random.Integer(1, 9);
    c.filter_height = random.Integer(1, 4);
    c.filter_width = random.Integer(1, 4);
    c.stride_y = random.Integer(1, 3);
    c.stride_x = random.Integer(1, 3);
    c.dilation_y = random.Integer(1, 3);
    c.dilation_x = random.Integer(1, 3);
    c.groups = random.Integer(1, 3);
    c.channels_in = c.groups == 1 ? random.Integer(1, 140) : 32 * c.groups * random.Integer(1, 2);
    c.channels_out = c.groups * random.Integer(1, 11);
    const int kind = random.Integer(0, 2);
    c.padding = kind == 2 ? Padding::kValid : Padding::kSame;
    c.zero_padding = kind == 1;
    if (!PlaceWindows(c.height, c.filter_height, c.stride_y, c.dilation_y, c.padding) ||
        !PlaceWindows(c.width, c.filter_width, c.stride_x, c.dilation_x, c.padding)) {
      continue;
    }
    cases.push_back(c);
  }
  CheckAll(cases);
}

}  // namespace
}  // namespace tfkit
