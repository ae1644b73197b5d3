#include "delegate/report.h"

namespace tfkit {

// Names of ops and kernels are tfkit's own and need no escaping.
std::string ToJson(const std::vector<NodeReport>& nodes) {
  std::string json = R"({"schema_version": 1, "nodes": [)";
  const char* separator = "";
  for (const NodeReport& node : nodes) {
    json += separator;
    json += R"({"node": )" + std::to_string(node.node) + R"(, "op": ")" + node.op +
            R"(", "kernel": ")" + node.kernel + R"(", "invocations": )" +
            std::to_string(node.invocations) + R"(, "nanoseconds": )" +
            std::to_string(node.nanoseconds) + "}";
    separator = ", ";
  }
  return json + "]}";
}

}  // namespace tfkit
