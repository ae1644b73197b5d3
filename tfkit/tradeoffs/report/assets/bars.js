// Bars for what a network takes: one for each network, for peak memory one for each network on each device.
const MOST_BARS = 40;

function drawBars() {
  const metric = state.metric;
  const found = new Map();
  for (const point of shownPoints()) {
    if (point[metric] === null) continue;
    const device = metric === "memory" ? `, ${data.devices[point.device].name}` : "";
    const name = `${data.series[point.series].name}, ${point.label}${device}`;
    if (!found.has(name)) found.set(name, point);
  }
  const sorted = [...found].sort((a, b) => a[1][metric] - b[1][metric]);
  const most = Math.max(...sorted.map(([, point]) => point[metric]));
  const list = document.getElementById("bars");
  list.replaceChildren(...sorted.slice(0, MOST_BARS).map(([name, point]) => bar(name, point, metric, most)));
  if (sorted.length === 0) list.append(line("No point has this figure."));
  if (sorted.length > MOST_BARS) list.append(line(`${sorted.length - MOST_BARS} larger ones are left out.`));
}

function bar(name, point, metric, most) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "open";
  button.textContent = name;
  button.addEventListener("click", () => openPoint(point.place));
  const fill = document.createElement("span");
  fill.className = `fill ${data.series[point.series].colour}`;
  fill.style.width = `${most > 0 ? (100 * point[metric]) / most : 0}%`;
  const value = document.createElement("span");
  value.className = "value";
  value.textContent = point.text[metric];
  const track = document.createElement("span");
  track.className = "track";
  track.append(fill);
  item.append(button, track, value);
  return item;
}

function line(text) {
  const item = document.createElement("li");
  item.className = "none";
  item.textContent = text;
  return item;
}
