// Whole files in and out.
#ifndef TFKIT_RUNNER_FILES_H_
#define TFKIT_RUNNER_FILES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace tfkit::runner {

// Bytes at a 64-byte boundary, as LiteRT wants constants to lie.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size);
  const std::uint8_t* data() const { return data_; }
  std::uint8_t* data() { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::unique_ptr<std::uint8_t[]> storage_;
  std::uint8_t* data_;
  std::size_t size_;
};

// A file as the kernel maps it: its pages can be dropped and read again, as an app's model is.
class MappedFile {
 public:
  // Throws Failure when the file is missing, unreadable or a folder.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  const void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

// Throws Failure when the file is missing, unreadable or a folder.
AlignedBytes ReadFile(const std::string& path);

// Writes beside `path` and renames, so that a reader sees all or nothing. Links are followed;
// what is no file (a pipe, /dev/null) is written to, never replaced. Throws Failure.
void WriteFile(const std::string& path, const std::string& content);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_FILES_H_
