#include "delegate/options.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>
#include <vector>

namespace tfkit {
namespace {

Options Parse(const std::vector<std::pair<const char*, const char*>>& options,
              const char* environment_kernel = nullptr) {
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : options) {
    keys.push_back(key);
    values.push_back(value);
  }
  return ParseOptions(keys.data(), values.data(), keys.size(), environment_kernel);
}

std::string ErrorOf(const std::vector<std::pair<const char*, const char*>>& options,
                    const char* environment_kernel = nullptr) {
  try {
    Parse(options, environment_kernel);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(Options, Defaults) {
  const Options options = Parse({});
  EXPECT_EQ(options.num_threads, 0);  // left to the runtime
  EXPECT_EQ(options.kernel, "");
  EXPECT_FALSE(options.profile);
}

TEST(Options, AreParsed) {
  const Options options =
      Parse({{"num_threads", "4"}, {"kernel", "reference"}, {"profile", "1"}}, "portable");
  EXPECT_EQ(options.num_threads, 4);
  EXPECT_EQ(options.kernel, "reference");  // before the environment
  EXPECT_TRUE(options.profile);
  EXPECT_EQ(Parse({}, "portable").kernel, "portable");
  EXPECT_EQ(Parse({}, "").kernel, "");
}

TEST(Options, BadValuesAreNamed) {
  EXPECT_EQ(ErrorOf({{"threads", "4"}}),
            "tfkit delegate: there is no option 'threads'; the options are num_threads, kernel and "
            "profile");
  for (const char* bad : {"0", "-1", "257", "2x", "", "99999999999999999999", " 1"}) {
    EXPECT_EQ(ErrorOf({{"num_threads", bad}}),
              std::string("tfkit delegate: num_threads = '") + bad +
                  "' is not accepted; use an integer from 1 to 256");
  }
  EXPECT_EQ(ErrorOf({{"profile", "yes"}}),
            "tfkit delegate: profile = 'yes' is not accepted; use 0 or 1");
  EXPECT_EQ(
      ErrorOf({{"kernel", ""}}).find("tfkit delegate: kernel = '' is not accepted; use one of:"),
      0u);
  EXPECT_EQ(ErrorOf({}, "fastest")
                .find("tfkit delegate: the environment variable TFKIT_KERNEL = "
                      "'fastest' is not accepted; use one of:"),
            0u);
  EXPECT_EQ(ErrorOf({{"kernel", nullptr}}), "tfkit delegate: an option without name or value");
}

}  // namespace
}  // namespace tfkit
