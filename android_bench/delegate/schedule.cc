#include "delegate/schedule.h"

#include <algorithm>
#include <new>
#include <utility>

#include "delegate/arena.h"

namespace tfkit {
namespace {

// Time that a thread must have to itself before another one is worth its part in the wake-up.
constexpr double kMicrosecondsPerThread = 5;
// Of what a step hands to the next: about half a first-level cache.
constexpr std::size_t kBlockBytes = std::size_t{1} << 14;

std::size_t Words(std::size_t bytes) { return (bytes + 7) / 8; }

bool Reads(const StepFacts& step, int tensor) {
  return std::count(step.inputs.begin(), step.inputs.end(), tensor) != 0;
}

// Memory that groups [first, last] need for an inner tensor, or for several of one size, each of
// which takes the place of the one before.
struct Piece {
  std::size_t bytes = 0;
  int first = 0;
  int last = 0;
  int output = Location::kNowhere;  // in whose memory it lies; else it is the arena's
};

// Memory that the runtime holds for an output of the partition.
struct Output {
  int tensor = 0;
  std::size_t bytes = 0;
  std::vector<std::pair<int, int>> busy;  // first and last group of what lies in it

  bool Takes(const Piece& piece) const {
    return piece.bytes <= bytes && std::none_of(busy.begin(), busy.end(), [&](const auto& groups) {
             return piece.first <= groups.second && groups.first <= piece.last;
           });
  }
};

class Scheduler {
 public:
  Scheduler(const std::vector<StepFacts>& steps, int max_threads)
      : steps_(steps), max_threads_(max_threads) {}

  Schedule Make() {
    FormGroups();
    for (int i = 0; i < Count(); ++i) {
      if (steps_[i].inner) {
        PlaceInner(i);
      } else {
        OfferOutput(i);
      }
    }
    FillOutputs();
    for (Group& group : schedule_.groups) PlanScratch(group);
    PlaceAll();
    return std::move(schedule_);
  }

 private:
  int Count() const { return static_cast<int>(steps_.size()); }
  const StepFacts& Leader(const Group& group) const { return steps_[group.first]; }

  // Parts that a group's tensors have.
  std::int64_t Parts(const Group& group) const { return Leader(group).work.units.back(); }

  bool Joins(const Group& group, int index) const {
    const StepFacts& step = steps_[index];
    const Work& work = step.work;
    if (!Leader(group).work.writes_parts || !work.reads_parts) return false;
    if (work.own_words + work.shared_words != 0 || work.units.back() % Parts(group) != 0) {
      return false;
    }
    for (int i = group.first; i < index; ++i) {
      if (Reads(step, steps_[i].output)) return true;
    }
    return false;
  }

  void FormGroups() {
    for (int i = 0; i < Count(); ++i) {
      if (!schedule_.groups.empty() && Joins(schedule_.groups.back(), i)) {
        schedule_.groups.back().last = i;
      } else {
        schedule_.groups.push_back({i, i});
      }
      group_of_.push_back(static_cast<int>(schedule_.groups.size()) - 1);
    }
    for (Group& group : schedule_.groups) {
      double microseconds = 0;
      for (int i = group.first; i <= group.last; ++i) microseconds += steps_[i].work.microseconds;
      const double worth = microseconds / kMicrosecondsPerThread;
      group.threads = std::max(1, worth < max_threads_ ? static_cast<int>(worth) : max_threads_);
      const std::size_t part = std::max<std::size_t>(1, PartBytes(group, group.first));
      group.block = group.steps() == 1
                        ? Parts(group)
                        : std::max<std::int64_t>(1, static_cast<std::int64_t>(kBlockBytes / part));
    }
  }

  std::size_t PartBytes(const Group& group, int index) const {
    return steps_[index].output_bytes / Parts(group);
  }

  // The last step that reads what step `index` writes, or itself.
  int LastReader(int index) const {
    int last = index;
    for (int i = index + 1; i < Count(); ++i) {
      if (Reads(steps_[i], steps_[index].output)) last = i;
    }
    return last;
  }

  void PlaceInner(int index) {
    const StepFacts& step = steps_[index];
    Group& group = schedule_.groups[group_of_[index]];
    const int last = LastReader(index);
    if (group.steps() > 1 && last > index && last <= group.last) {
      schedule_.places[step.output] = {group.own_words, true};
      group.own_words += AlignedWords(Words(group.block * PartBytes(group, index)));
      return;
    }
    const int piece = PieceToTakeOver(index);
    if (piece < 0) {
      piece_of_[step.output] = static_cast<int>(pieces_.size());
      pieces_.push_back({step.output_bytes, group_of_[index], group_of_[last]});
    } else {
      piece_of_[step.output] = piece;
      pieces_[piece].last = group_of_[last];
    }
  }

  // The piece of an input that nobody else reads any more and whose place the output may take; -1
  // if there is none.
  int PieceToTakeOver(int index) const {
    const StepFacts& step = steps_[index];
    if (!step.work.in_place) return -1;
    const Group& group = schedule_.groups[group_of_[index]];
    for (int tensor : step.inputs) {
      const auto piece = piece_of_.find(tensor);
      if (piece == piece_of_.end() || pieces_[piece->second].bytes != step.output_bytes) continue;
      // In other parts, another thread may be anywhere in the group.
      bool alone = true;
      for (int i = group.first; i < Count(); ++i) {
        if (i != index && Reads(steps_[i], tensor)) alone = false;
      }
      if (alone) return piece->second;
    }
    return -1;
  }

  // From when it is written on, an output's memory is taken; by a chain of sums that ends in it
  // even before.
  void OfferOutput(int index) {
    const StepFacts& step = steps_[index];
    int first = group_of_[index];
    const int piece = PieceToTakeOver(index);
    if (piece >= 0) {
      first = pieces_[piece].first;
      pieces_[piece].output = step.output;
    }
    const int end = static_cast<int>(schedule_.groups.size());
    outputs_.push_back({step.output, step.output_bytes, {{first, end}}});
  }

  // The rest goes where there is room, large pieces first, each into the smallest output that takes
  // it.
  void FillOutputs() {
    std::vector<Piece*> order;
    for (Piece& piece : pieces_) {
      if (piece.output == Location::kNowhere) order.push_back(&piece);
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const Piece* a, const Piece* b) { return a->bytes > b->bytes; });
    std::stable_sort(outputs_.begin(), outputs_.end(),
                     [](const Output& a, const Output& b) { return a.bytes < b.bytes; });
    for (Piece* piece : order) {
      const auto output =
          std::find_if(outputs_.begin(), outputs_.end(),
                       [&](const Output& candidate) { return candidate.Takes(*piece); });
      if (output == outputs_.end()) continue;
      output->busy.emplace_back(piece->first, piece->last);
      piece->output = output->tensor;
    }
  }

  // own_words has counted the group's tensors; the first step's scratch goes in front of them.
  void PlanScratch(Group& group) {
    const Work& work = Leader(group).work;
    const std::size_t own = AlignedWords(work.own_words);
    for (int i = group.first; i <= group.last; ++i) {
      const auto place = schedule_.places.find(steps_[i].output);
      if (place != schedule_.places.end() && place->second.of_thread) place->second.word += own;
    }
    group.own_words += own;
    if (group.own_words > kMaxWords) throw std::bad_alloc();  // before it is multiplied
  }

  void PlaceAll() {
    std::vector<Placement> tensors;
    for (const Piece& piece : pieces_) {
      const bool in_arena = piece.output == Location::kNowhere;
      tensors.push_back({in_arena ? Words(piece.bytes) : 0, piece.first, piece.last});
    }
    std::vector<Placement> all = tensors;
    schedule_.tensor_words = Place(tensors);
    for (std::size_t g = 0; g < schedule_.groups.size(); ++g) {
      const Group& group = schedule_.groups[g];
      const std::size_t shared = AlignedWords(Leader(group).work.shared_words);
      const int step = static_cast<int>(g);
      all.push_back({shared + group.threads * group.own_words, step, step});
    }
    schedule_.words = Place(all);
    for (const auto& [tensor, piece] : piece_of_) {
      schedule_.places[tensor] = {all[piece].offset, false, pieces_[piece].output};
    }
    for (std::size_t g = 0; g < schedule_.groups.size(); ++g) {
      schedule_.groups[g].scratch = all[pieces_.size() + g].offset;
    }
  }

  const std::vector<StepFacts>& steps_;
  const int max_threads_;
  Schedule schedule_;
  std::vector<int> group_of_;  // of each step
  std::vector<Piece> pieces_;
  std::map<int, int> piece_of_;  // of each tensor that is there as a whole
  std::vector<Output> outputs_;
};

}  // namespace

Schedule MakeSchedule(const std::vector<StepFacts>& steps, int max_threads) {
  return Scheduler(steps, max_threads).Make();
}

}  // namespace tfkit
