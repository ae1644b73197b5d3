#include "runner/memory.h"

namespace tfkit::runner {
namespace {

std::optional<std::int64_t> Bytes(const std::string& text, const char* key) {
  auto kib = IntegerField(text, key);
  if (kib) *kib *= 1024;
  return kib;
}

}  // namespace

void MemoryLog::Record(const std::string& stage) {
  const std::string status = files_.Text("/proc/self/status").value_or("");
  const std::string rollup = files_.Text("/proc/self/smaps_rollup").value_or("");
  stages_.push_back({stage, Bytes(status, "VmHWM"), Bytes(status, "VmRSS"),
                     Bytes(status, "RssAnon"), Bytes(status, "RssFile"), Bytes(rollup, "Pss"),
                     Bytes(rollup, "Pss_Anon"), Bytes(rollup, "Pss_File"),
                     Bytes(rollup, "Private_Dirty")});
  hwm_reset_ = files_.Write("/proc/self/clear_refs", "5") && hwm_reset_;
}

void MemoryLog::Append(Json& json, std::int64_t runs) const {
  json.BeginObject();
  json.Key("hwm_reset").Bool(hwm_reset_);
  json.Key("runs").Integer(runs);
  json.Key("stages").BeginArray();
  for (const auto& s : stages_) {
    json.BeginObject();
    json.Key("stage").String(s.stage);
    json.Key("vm_hwm").Optional(s.vm_hwm);
    json.Key("vm_rss").Optional(s.vm_rss);
    json.Key("rss_anon").Optional(s.rss_anon);
    json.Key("rss_file").Optional(s.rss_file);
    json.Key("pss").Optional(s.pss);
    json.Key("pss_anon").Optional(s.pss_anon);
    json.Key("pss_file").Optional(s.pss_file);
    json.Key("private_dirty").Optional(s.private_dirty);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

}  // namespace tfkit::runner
