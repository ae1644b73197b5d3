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

void WriteFile(const std::string& path, const std::string& content) {
  const std::string temporary = path + ".part-" + std::to_string(getpid());
  std::ofstream file(temporary, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(temporary.c_str());
    throw Failure("cannot write " + path + ": " + reason);
  }
}

}  // namespace tfkit::runner
