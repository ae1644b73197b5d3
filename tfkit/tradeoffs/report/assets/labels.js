// The names of few series, each beside one of its marks, where it covers neither a mark nor another name.
const MOST_LABELS = 8;

function* labels(points, axis, x, y, width) {
  const marks = points.map((p) => ({ series: p.series, x: x.at(axis.value(p.cost)), y: y.at(p.accuracy) }));
  const series = [...new Set(marks.map((mark) => mark.series))];
  if (series.length > MOST_LABELS) return;
  const taken = marks.map((mark) => ({ left: mark.x - 11, right: mark.x + 11, top: mark.y - 11, bottom: mark.y + 11 }));
  for (const number of series) {
    const { name, colour } = data.series[number];
    const size = { width: name.length * 7.6, height: 14 };
    const boxes = marks.filter((mark) => mark.series === number).reverse().flatMap((mark) => around(mark, size));
    const free = boxes.find((box) => inside(box, width) && !taken.some((other) => overlap(box, other)));
    if (free === undefined) continue; // the legend has it
    taken.push(free);
    yield svg("text", { class: `label ${colour}`, x: free.left, y: free.bottom - 3 }, name);
  }
}

// Right of a mark, left of it, above and below.
function around(mark, size) {
  const middle = [mark.x - size.width / 2, mark.y - size.height / 2];
  const corners = [
    [mark.x + 14, middle[1]],
    [mark.x + 8, mark.y - 11 - size.height],
    [mark.x - 14 - size.width, middle[1]],
    [middle[0], mark.y - 13 - size.height],
    [middle[0], mark.y + 13],
  ];
  return corners.map(([left, top]) => ({ left, right: left + size.width, top, bottom: top + size.height }));
}

function inside(box, width) {
  return box.left > MARGIN.left && box.right < width && box.top > 0;
}

function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
