#include "runner/json.h"

#include <cmath>
#include <cstdio>

namespace tfkit::runner {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `s`, or 0 (RFC 3629: no overlong forms,
// no surrogates).
std::size_t Utf8Length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto continues = [&](std::size_t i) { return i < s.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if ((lead & 0xF0) == 0xE0) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

void Json::Separate() {
  if (!first_ && !after_key_) text_ += ',';
  first_ = false;
  after_key_ = false;
}

Json& Json::Open(char bracket) {
  Separate();
  text_ += bracket;
  first_ = true;
  return *this;
}

Json& Json::Close(char bracket) {
  text_ += bracket;
  first_ = false;
  return *this;
}

Json& Json::Raw(std::string_view text) {
  Separate();
  text_ += text;
  return *this;
}

Json& Json::Key(std::string_view key) {
  Separate();
  Quote(key);
  text_ += ':';
  after_key_ = true;
  return *this;
}

void Json::Quote(std::string_view value) {
  text_ += '"';
  while (!value.empty()) {
    const char c = value[0];
    std::size_t length = Utf8Length(value);
    if (length == 0) {
      text_ += "\xEF\xBF\xBD";
      length = 1;
    } else if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", c);
      text_ += escape;
    } else {
      text_ += value.substr(0, length);
    }
    value.remove_prefix(length);
  }
  text_ += '"';
}

Json& Json::String(std::string_view value) {
  Separate();
  Quote(value);
  return *this;
}

Json& Json::Integer(std::int64_t value) { return Raw(std::to_string(value)); }

Json& Json::Unsigned(std::uint64_t value) { return Raw(std::to_string(value)); }

Json& Json::Real(double value) {
  if (!std::isfinite(value)) return Null();
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%.17g", value);
  return Raw(digits);
}

Json& Json::Bool(bool value) { return Raw(value ? "true" : "false"); }

Json& Json::Null() { return Raw("null"); }

Json& Json::Optional(const std::optional<std::int64_t>& value) {
  return value ? Integer(*value) : Null();
}

Json& Json::OptionalString(std::string_view value) {
  return value.empty() ? Null() : String(value);
}

Json& Json::Document(std::string_view json) { return json.empty() ? Null() : Raw(json); }

Json& Json::Integers(const std::vector<std::int64_t>& values) {
  BeginArray();
  for (const auto value : values) Integer(value);
  return EndArray();
}

Json& Json::Strings(const std::vector<std::string>& values) {
  BeginArray();
  for (const auto& value : values) String(value);
  return EndArray();
}

}  // namespace tfkit::runner
