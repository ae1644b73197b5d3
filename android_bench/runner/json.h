// A JSON writer for documents of the runner's size: values are appended in order, commas are its
// business.
#ifndef TFKIT_RUNNER_JSON_H_
#define TFKIT_RUNNER_JSON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tfkit::runner {

class Json {
 public:
  Json& BeginObject() { return Open('{'); }
  Json& EndObject() { return Close('}'); }
  Json& BeginArray() { return Open('['); }
  Json& EndArray() { return Close(']'); }
  Json& Key(std::string_view key);

  Json& String(std::string_view value);  // any bytes; what is not UTF-8 becomes U+FFFD
  Json& Integer(std::int64_t value);
  Json& Unsigned(std::uint64_t value);
  Json& Real(double value);  // null when not finite
  Json& Bool(bool value);
  Json& Null();
  Json& Optional(const std::optional<std::int64_t>& value);  // null when there is none
  Json& OptionalString(std::string_view value);              // null when it is empty
  Json& Document(std::string_view json);                     // JSON already; null when it is empty
  Json& Integers(const std::vector<std::int64_t>& values);
  Json& Strings(const std::vector<std::string>& values);

  const std::string& text() const { return text_; }

 private:
  Json& Open(char bracket);
  Json& Close(char bracket);
  Json& Raw(std::string_view text);
  void Separate();
  void Quote(std::string_view value);

  std::string text_;
  bool first_ = true;  // nothing stands before the next value in its container
  bool after_key_ = false;
};

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_JSON_H_
