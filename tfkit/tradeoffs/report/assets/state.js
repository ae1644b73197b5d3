// What the reader asked for. Whoever changes it calls change(), and every part of the page follows.
const data = JSON.parse(document.getElementById("data").textContent);

const state = {
  text: "",
  model: "",
  device: "",
  maxLatency: null,
  maxInstructions: null,
  minAccuracy: null,
  trusted: false,
  hidden: new Set(), // series
  axis: "throughput",
  metric: "size",
  sort: "accuracy",
  descending: true,
};

const followers = [];

function change(part) {
  Object.assign(state, part);
  for (const follower of followers) follower();
}

// A point without the figure that a limit is about has not shown that it keeps it.
function atMost(value, limit) {
  return limit === null || (value !== null && value <= limit);
}

function atLeast(value, limit) {
  return limit === null || (value !== null && value >= limit);
}

function isShown(point) {
  return (
    !state.hidden.has(point.series) &&
    (state.model === "" || point.model === Number(state.model)) &&
    (state.device === "" || point.device === Number(state.device)) &&
    (!state.trusted || point.trusted !== false) &&
    atLeast(point.accuracy, state.minAccuracy === null ? null : state.minAccuracy / 100) &&
    atMost(point.latency, state.maxLatency) &&
    atMost(point.instructions, state.maxInstructions === null ? null : state.maxInstructions * 1e6) &&
    state.text.toLowerCase().split(/\s+/).every((word) => point.search.includes(word))
  );
}

function shownPoints() {
  return data.points.filter(isShown);
}

data.points.forEach((point, place) => {
  point.place = place;
  point.cost = data.devices[point.device].emulated ? point.instructions : point.latency;
});
