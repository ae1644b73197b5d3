// Where the time of a run goes: LiteRT's profiler over many runs, place by place.
#ifndef TFKIT_RUNNER_PROFILE_H_
#define TFKIT_RUNNER_PROFILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runner/json.h"
#include "runner/plan.h"
#include "runner/session.h"

namespace tfkit::runner {

// LiteRT's clock ticks in microseconds: fewer runs than this do not average that out.
constexpr std::int64_t kFewestProfiledRuns = 50;

// One place in the order of a run's events, with its time in each run.
struct ProfileEvent {
  enum class Kind {
    kNode,    // an entry of the main graph's plan was invoked
    kInner,   // an operator inside a delegate's partition
    kNested,  // a node of another graph, called by one of the main graph
    kOther,   // LiteRT's own steps
  };
  Kind kind = Kind::kOther;
  std::string tag;
  int node = -1;  // for kInner the partition it belongs to, -1 when that is unknown
  std::vector<std::int64_t> us;
};

struct Profile {
  std::vector<std::int64_t> wall_ns;
  std::vector<ProfileEvent> events;
  std::int64_t uneven_runs = 0;
};

// Profiles `runs` runs of a session that was compiled for it, with the plan that came of that.
// Throws Failure when a run fails or the profiler's events are not what this was written for.
Profile TakeProfile(Session& session, const std::vector<PlanNode>& plan, std::int64_t runs);

void AppendProfile(Json& json, const Profile& profile, const std::vector<PlanNode>& plan,
                   const std::string& delegate_before);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_PROFILE_H_
