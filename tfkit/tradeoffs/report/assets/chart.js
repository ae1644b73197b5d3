// One chart for each device: accuracy over throughput or latency, on emulated devices over instructions.
const MARGIN = { top: 14, right: 18, bottom: 48, left: 56 };

// What the horizontal axis shows of a cost.
function axisOf(device) {
  if (device.emulated) return { value: (cost) => cost, title: "instructions per inference", better: "fewer" };
  if (state.axis === "latency") return { value: (cost) => cost, title: "latency in ms", better: "less" };
  return { value: (cost) => 1000 / cost, title: "throughput, inferences per second", better: "more" };
}

function drawChart(plot, number) {
  const device = data.devices[number];
  const axis = axisOf(device);
  const points = shownPoints().filter((p) => p.device === number && p.cost > 0 && p.accuracy !== null);
  plot.closest("figure").hidden = state.device !== "" && Number(state.device) !== number;
  if (points.length === 0) {
    plot.replaceChildren("No point to show.");
    return;
  }
  const width = Math.max(plot.clientWidth, 280);
  const height = width < 520 ? 320 : 420;
  const { x, y } = scales(points, axis, width, height);
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
  drawing.append(...grid(x, y, width, height, width < 520 ? axis.title : `${axis.title} (${axis.better} is better)`));
  drawing.append(...frontLine(points, axis, x, y));
  for (const group of seriesLines(points)) drawing.append(groupLine(group, axis, x, y));
  for (const point of points) drawing.append(...errorBars(point, axis, x, y));
  for (const point of points) drawing.append(markOf(point, axis, x, y));
  if (width >= 640) drawing.append(...labels(points, axis, x, y, width));
  plot.replaceChildren(drawing);
  moveByKeys(drawing, points.map((p) => [x.at(axis.value(p.cost)), p.place]));
}

function scales(points, axis, width, height) {
  const costs = points.flatMap((p) => [p.cost, ...(p.costs ?? [])]).filter((cost) => cost > 0).map(axis.value);
  const accuracies = points.flatMap((p) => [p.accuracy, ...(p.accuracies ?? [])]);
  const factor = Math.max((Math.max(...costs) / Math.min(...costs)) ** 0.07, 1.06);
  const [worst, best] = [Math.min(...accuracies), Math.max(...accuracies)];
  const pad = Math.max((best - worst) * 0.08, 0.004);
  return {
    x: logScale(Math.min(...costs) / factor, Math.max(...costs) * factor, MARGIN.left, width - MARGIN.right),
    y: linearScale(Math.max(worst - pad, 0), Math.min(best + pad, 1.002), height - MARGIN.bottom, MARGIN.top),
  };
}

function* grid(x, y, width, height, title) {
  const bottom = height - MARGIN.bottom;
  for (const tick of y.ticks) {
    const at = y.at(tick);
    yield svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: at, y2: at });
    const text = `${Number((tick * 100).toFixed(2))} %`;
    yield svg("text", { class: "tick", x: MARGIN.left - 8, y: at + 4, "text-anchor": "end" }, text);
  }
  let free = -Infinity;
  for (const tick of x.ticks) {
    const at = x.at(tick);
    yield svg("line", { class: "grid", x1: at, x2: at, y1: MARGIN.top, y2: bottom });
    if (at < free) continue;
    free = at + 42;
    yield svg("text", { class: "tick", x: at, y: bottom + 18, "text-anchor": "middle" }, compact(tick));
  }
  const middle = (MARGIN.left + width - MARGIN.right) / 2;
  yield svg("text", { class: "title", x: middle, y: height - 8, "text-anchor": "middle" }, title);
}

// Stairs through the points of the front, around what they beat.
function* frontLine(points, axis, x, y) {
  const best = points.filter((p) => p.front).sort((a, b) => axis.value(a.cost) - axis.value(b.cost));
  if (best.length < 2) return;
  const falling = best[0].accuracy >= best[best.length - 1].accuracy; // as over throughput
  let path = "";
  for (const point of best) {
    const [px, py] = [x.at(axis.value(point.cost)), y.at(point.accuracy)];
    path += path === "" ? `M${px} ${py}` : falling ? `V${py}H${px}` : `H${px}V${py}`;
  }
  yield svg("path", { class: "front", d: path }, svg("title", {}, "Pareto front"));
}

function seriesLines(points) {
  const groups = new Map();
  for (const point of points) {
    const key = `${point.series} ${point.model}`;
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

function groupLine(group, axis, x, y) {
  const sorted = [...group].sort((a, b) => a.cost - b.cost);
  const places = sorted.map((p) => `${x.at(axis.value(p.cost))},${y.at(p.accuracy)}`);
  return svg("polyline", { class: `series ${data.series[group[0].series].colour}`, points: places.join(" ") });
}

function* errorBars(point, axis, x, y) {
  const [px, py] = [x.at(axis.value(point.cost)), y.at(point.accuracy)];
  const look = { class: `error ${data.series[point.series].colour}` };
  if (point.accuracies) {
    const [low, high] = point.accuracies.map(y.at);
    yield svg("path", { ...look, d: `M${px} ${low}V${high}M${px - 3} ${low}h6M${px - 3} ${high}h6` });
  }
  if (point.costs && point.costs[0] > 0) {
    const [low, high] = point.costs.map((cost) => x.at(axis.value(cost)));
    yield svg("path", { ...look, d: `M${low} ${py}H${high}M${low} ${py - 3}v6M${high} ${py - 3}v6` });
  }
}

function nameOf(point) {
  const parts = [data.series[point.series].name, point.label, point.text.accuracy, point.text.cost];
  if (point.trusted === false) parts.push("not trusted");
  return parts.filter((part) => part !== "").join(", ");
}

function markOf(point, axis, x, y) {
  const series = data.series[point.series];
  const kind = (point.trusted === false ? " untrusted" : "") + (point.int8 ? " int8" : "");
  const made = svg("g", {
    class: `mark ${series.colour}${kind}`,
    transform: `translate(${x.at(axis.value(point.cost))} ${y.at(point.accuracy)})`,
    role: "button",
    tabindex: -1,
    "aria-label": nameOf(point),
    "data-point": point.place,
  });
  made.append(svg("title", {}, nameOf(point)), svg("circle", { class: "touch", r: 12 }));
  if (point.int8) made.append(svg("circle", { class: "ring", r: 10 }));
  made.append(svg("path", { d: series.mark }));
  made.addEventListener("click", () => openPoint(point.place));
  return made;
}

// One mark can be reached by Tab; the arrow keys go from it to its neighbours, Enter and Space open it.
function moveByKeys(drawing, places) {
  const order = places.sort((a, b) => a[0] - b[0]).map(([, place]) => drawing.querySelector(`[data-point="${place}"]`));
  order[0].setAttribute("tabindex", 0);
  drawing.addEventListener("keydown", (event) => {
    const here = order.indexOf(event.target);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (here >= 0 && (event.key === "Enter" || event.key === " ")) openPoint(Number(order[here].dataset.point));
    else if (here >= 0 && step) {
      const next = order[(here + step + order.length) % order.length];
      order[here].setAttribute("tabindex", -1);
      next.setAttribute("tabindex", 0);
      next.focus();
    } else return;
    event.preventDefault();
  });
}

function drawCharts() {
  for (const panel of document.querySelectorAll("[data-device]")) {
    drawChart(panel.querySelector(".plot"), Number(panel.dataset.device));
  }
}
