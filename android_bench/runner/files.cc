#include "runner/files.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "runner/failure.h"

namespace tfkit::runner {

AlignedBytes::AlignedBytes(std::size_t size) : storage_(new std::uint8_t[size + 64]), size_(size) {
  const auto address = reinterpret_cast<std::uintptr_t>(storage_.get());
  data_ = storage_.get() + (64 - address % 64) % 64;
}

AlignedBytes ReadFile(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) throw Failure("cannot read " + path + ": " + error.message());
  AlignedBytes bytes(size);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
    throw Failure("cannot read " + path + ": " + std::strerror(errno));
  }
  return bytes;
}

namespace {

bool Put(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  return !file.fail();
}

}  // namespace

void WriteFile(const std::string& path, const std::string& content) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::string target = path;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_regular_file(status)) {
    const fs::path behind_links = fs::canonical(path, error);
    if (!error) target = behind_links.string();
  } else if (fs::exists(status) && !fs::is_directory(status)) {
    if (Put(path, content)) return;
    throw Failure("cannot write " + path + ": " + std::strerror(errno));
  }
  const std::string temporary = target + ".part-" + std::to_string(getpid());
  if (!Put(temporary, content) || std::rename(temporary.c_str(), target.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(temporary.c_str());
    throw Failure("cannot write " + path + ": " + reason);
  }
}

}  // namespace tfkit::runner
