#include "runner/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

MappedFile::MappedFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status{};
  bool ok = file >= 0 && fstat(file, &status) == 0;
  if (ok && status.st_size == 0) {
    close(file);
    throw Failure("cannot read " + path + ": it is empty");
  }
  if (ok) {
    size_ = static_cast<std::size_t>(status.st_size);
    data_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    ok = data_ != MAP_FAILED;
  }
  const int error = errno;
  if (file >= 0) close(file);
  if (!ok) throw Failure("cannot read " + path + ": " + std::strerror(error));
}

MappedFile::~MappedFile() { munmap(data_, size_); }

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
