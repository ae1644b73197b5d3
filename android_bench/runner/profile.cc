#include "runner/profile.h"

#include <algorithm>

#include "runner/clock.h"

namespace tfkit::runner {
namespace {

using Kind = ProfileEvent::Kind;

const char* Name(Kind kind) {
  switch (kind) {
    case Kind::kNode:
      return "node";
    case Kind::kInner:
      return "inner";
    case Kind::kNested:
      return "nested";
    case Kind::kOther:
      return "other";
  }
  return nullptr;
}

// Tells to which partition an operator inside one belongs. A delegate that reports its operators
// one by one, as XNNPACK does, has no event of its own: they stand in the gap between the events of
// the plan's entries before and after it. Of several such delegates in one gap the first gets them.
class Gaps {
 public:
  explicit Gaps(const std::vector<PlanNode>& plan) {
    for (const auto& entry : plan) {
      if (entry.subgraph == 0) plan_.push_back(&entry);
    }
  }

  void Pass(int node) {
    const auto entry = std::find_if(plan_.begin(), plan_.end(),
                                    [=](const auto* entry) { return entry->node == node; });
    if (entry != plan_.end()) next_ = static_cast<std::size_t>(entry - plan_.begin()) + 1;
  }

  int Partition() const {
    if (Delegated(next_)) return plan_[next_]->node;
    return next_ > 0 && Delegated(next_ - 1) ? plan_[next_ - 1]->node : -1;
  }

 private:
  bool Delegated(std::size_t i) const { return i < plan_.size() && !plan_[i]->delegate.empty(); }

  std::vector<const PlanNode*> plan_;
  std::size_t next_ = 0;
};

// The events of one run, in order.
std::vector<ProfileEvent> Events(const std::vector<ProfiledEventData>& raw,
                                 const std::vector<PlanNode>& plan) {
  std::vector<ProfileEvent> events;
  Gaps gaps(plan);
  for (const auto& data : raw) {
    if (data.event_type > kLiteRtProfilerEventTypeLast) continue;
    ProfileEvent& event = events.emplace_back();
    event.tag = data.tag == nullptr ? "" : data.tag;
    event.us = {static_cast<std::int64_t>(data.elapsed_time_us)};
    if (data.event_type == kLiteRtProfilerEventTypeDelegateOp) {
      event.kind = Kind::kInner;
      event.node = gaps.Partition();
    } else if (data.event_type == kLiteRtProfilerEventTypeOp) {
      event.kind = data.event_metadata2 == 0 ? Kind::kNode : Kind::kNested;
      event.node = static_cast<int>(data.event_metadata1);
      if (event.kind == Kind::kNode) gaps.Pass(event.node);
    }
  }
  return events;
}

bool SamePlaces(const std::vector<ProfileEvent>& a, const std::vector<ProfileEvent>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.kind == y.kind && x.node == y.node && x.tag == y.tag;
  });
}

}  // namespace

Profile TakeProfile(Session& session, const std::vector<PlanNode>& plan, std::int64_t runs) {
  Profile profile;
  for (std::int64_t run = 0; run < runs; ++run) {
    session.StartProfiler();
    Clock clock;
    Check(session.Run(), "a profiled run");
    clock.Read();
    const auto events = Events(session.StopProfiler(), plan);
    if (run == 0) {
      profile.events = events;
    } else if (SamePlaces(profile.events, events)) {
      for (std::size_t i = 0; i < events.size(); ++i)
        profile.events[i].us.push_back(events[i].us[0]);
    } else {
      ++profile.uneven_runs;
      continue;
    }
    profile.wall_ns.push_back(clock.elapsed());
  }
  return profile;
}

void AppendProfile(Json& json, const Profile& profile, const std::vector<PlanNode>& plan,
                   const std::string& delegate_before) {
  json.BeginObject();
  json.Key("runs").Integer(static_cast<std::int64_t>(profile.wall_ns.size()));
  json.Key("wall_ns").Integers(profile.wall_ns);
  json.Key("uneven_runs").Integer(profile.uneven_runs);
  json.Key("delegate_before").Document(delegate_before);
  json.Key("plan").BeginArray();
  for (const auto& entry : plan) {
    if (entry.subgraph != 0) continue;
    json.BeginObject();
    json.Key("node").Integer(entry.node);
    json.Key("delegate").OptionalString(entry.delegate);
    json.Key("replaces").Integers({entry.replaces.begin(), entry.replaces.end()});
    json.EndObject();
  }
  json.EndArray();
  json.Key("events").BeginArray();
  for (const auto& event : profile.events) {
    json.BeginObject();
    json.Key("kind").String(Name(event.kind));
    json.Key("tag").String(event.tag);
    json.Key("node");
    if (event.node < 0) {
      json.Null();
    } else {
      json.Integer(event.node);
    }
    json.Key("us").Integers(event.us);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

}  // namespace tfkit::runner
