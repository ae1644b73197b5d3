// The table of all points: rows come from the file, here they are put in order and hidden.
const body = document.getElementById("rows");
const rowOf = new Map([...(body?.rows ?? [])].map((row) => [Number(row.dataset.point), row]));
const UPWARDS = new Set(["accuracy", "front", "trusted", "seeds"]); // more is better, so it comes first

function valueOf(point, key) {
  if (key === "series") return data.series[point.series].name;
  if (key === "device") return data.devices[point.device].name;
  return typeof point[key] === "boolean" ? Number(point[key]) : point[key];
}

function compare(a, b) {
  const [left, right] = [valueOf(a, state.sort), valueOf(b, state.sort)];
  if (left === null || right === null) return (left === null) - (right === null) || a.place - b.place; // unknown: last
  const order = typeof left === "string" ? left.localeCompare(right, undefined, { numeric: true }) : left - right;
  return (state.descending ? -order : order) || a.place - b.place;
}

function drawTable() {
  const shown = new Set(shownPoints());
  body.append(...[...data.points].sort(compare).map((point) => rowOf.get(point.place)));
  for (const point of data.points) rowOf.get(point.place).hidden = !shown.has(point);
  for (const button of document.querySelectorAll("[data-key]")) {
    const direction = state.descending ? "descending" : "ascending";
    button.closest("th").setAttribute("aria-sort", button.dataset.key === state.sort ? direction : "none");
  }
  document.getElementById("count").textContent = `${shown.size} of ${data.points.length} shown`;
  document.getElementById("best").textContent = bestOf([...shown]);
}

// The answer to "which one", for what the filters leave.
function bestOf(points) {
  const measured = points.filter((p) => p.accuracy !== null && p.cost !== null);
  if (measured.length === 0) return "No measured point keeps these limits.";
  const trusted = measured.filter((p) => p.trusted !== false);
  const remark = trusted.length > 0 ? "" : ", none of which is trusted";
  const best = (trusted.length > 0 ? trusted : measured).reduce((a, b) => (b.accuracy > a.accuracy || (b.accuracy === a.accuracy && b.cost < a.cost) ? b : a));
  const name = [data.series[best.series].name, best.label].filter((part) => part !== "").join(", ");
  const figures = `${best.text.accuracy}, ${best.text.cost} on ${data.devices[best.device].name}`;
  return `Most accurate of these${remark}: ${name}, ${figures}.`;
}

function sortBy(key) {
  change({ sort: key, descending: state.sort === key ? !state.descending : UPWARDS.has(key) });
}
