// What the kernel tells in /proc and /sys.
#ifndef TFKIT_RUNNER_SYSTEM_FILES_H_
#define TFKIT_RUNNER_SYSTEM_FILES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tfkit::runner {

// Reads below a root: "/" on a device, a folder with scripted files in tests.
class SystemFiles {
 public:
  // Throws Failure unless `root` is a folder.
  explicit SystemFiles(const std::string& root);

  // The file without the white space at its end; nothing when it is not there or not readable.
  std::optional<std::string> Text(const std::string& path) const;
  std::optional<std::int64_t> Integer(const std::string& path) const;

  // Names in a folder, sorted with their numbers as numbers; none when it is not there.
  std::vector<std::string> List(const std::string& folder) const;

  // Whether all of `text` was accepted. Never makes a file.
  bool Write(const std::string& path, const std::string& text) const;

 private:
  std::string root_;
};

// The value behind `key` and ':' on a line of its own; nothing when no line has it.
std::optional<std::string> Field(const std::string& text, const std::string& key);

// The same as a number, whatever unit follows it.
std::optional<std::int64_t> IntegerField(const std::string& text, const std::string& key);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_SYSTEM_FILES_H_
