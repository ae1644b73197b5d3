#include "delegate/report.h"

namespace tfkit {

// Names of ops and kernels are tfkit's own and need no escaping.
std::string ToJson(const DelegateReport& report) {
  std::string json = R"({"schema_version": 1, "nodes": [)";
  const char* separator = "";
  for (const NodeReport& node : report.nodes) {
    json += separator;
    json += R"({"node": )" + std::to_string(node.node) + R"(, "op": ")" + node.op +
            R"(", "kernel": ")" + node.kernel + R"(", "invocations": )" +
            std::to_string(node.invocations) + R"(, "nanoseconds": )" +
            std::to_string(node.nanoseconds) + "}";
    separator = ", ";
  }
  return json + R"(], "memory": {"arena_bytes": )" + std::to_string(report.arena_bytes) +
         R"(, "workspace_bytes": )" + std::to_string(report.workspace_bytes) +
         R"(, "packed_bytes": )" + std::to_string(report.packed_bytes) + "}}";
}

}  // namespace tfkit
