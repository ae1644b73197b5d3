#include "runner/system_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <tuple>

#include "runner/failure.h"

namespace tfkit::runner {
namespace {

constexpr const char* kSpace = " \t\r\n";

std::string Trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<std::int64_t> LeadingInteger(const std::string& text) {
  char* end = nullptr;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (end == text.c_str()) return std::nullopt;
  return value;
}

// "cpu10" after "cpu9".
auto SortKey(const std::string& name) {
  std::size_t digits = name.size();
  while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1]))) --digits;
  return std::make_tuple(name.substr(0, digits), name.size() - digits, name.substr(digits));
}

}  // namespace

SystemFiles::SystemFiles(const std::string& root) : root_(root) {
  std::error_code error;
  if (!std::filesystem::is_directory(root_, error)) throw Failure("--root is no folder: " + root_);
}

std::optional<std::string> SystemFiles::Text(const std::string& path) const {
  std::ifstream file(root_ + path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  // A folder opens, and a sysfs file may open and then refuse to be read.
  if (file.bad() || text.bad()) return std::nullopt;
  return Trimmed(text.str());
}

std::optional<std::int64_t> SystemFiles::Integer(const std::string& path) const {
  const auto text = Text(path);
  return text ? LeadingInteger(*text) : std::nullopt;
}

std::vector<std::string> SystemFiles::List(const std::string& folder) const {
  std::vector<std::string> names;
  std::error_code error;
  const std::filesystem::directory_iterator entries(root_ + folder, error);
  if (error) return names;
  for (auto entry = begin(entries); entry != end(entries); entry.increment(error)) {
    if (error) break;
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end(),
            [](const auto& a, const auto& b) { return SortKey(a) < SortKey(b); });
  return names;
}

bool SystemFiles::Write(const std::string& path, const std::string& text) const {
  const int file = open((root_ + path).c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool whole = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  return close(file) == 0 && whole;
}

std::optional<std::string> Field(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || Trimmed(line.substr(0, colon)) != key) continue;
    return Trimmed(line.substr(colon + 1));
  }
  return std::nullopt;
}

std::optional<std::int64_t> IntegerField(const std::string& text, const std::string& key) {
  const auto value = Field(text, key);
  return value ? LeadingInteger(*value) : std::nullopt;
}

}  // namespace tfkit::runner
