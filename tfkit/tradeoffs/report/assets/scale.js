// From figures to places, and the round figures to write beside an axis.

// Each decade at 1, 2 and 5; where that leaves fewer than three, equal steps between the ends.
function logScale(low, high, from, to) {
  const [a, b] = [Math.log(low), Math.log(high)];
  const at = (value) => from + ((to - from) * (Math.log(value) - a)) / (b - a);
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const digit of [1, 2, 5]) ticks.push(Number(`${digit}e${power}`));
  }
  const inside = ticks.filter((tick) => tick >= low && tick <= high);
  return { at, ticks: inside.length >= 3 ? inside : steps(low, high, 4) };
}

function linearScale(low, high, from, to) {
  return { at: (value) => from + ((to - from) * (value - low)) / (high - low), ticks: steps(low, high, 6) };
}

// About `count` multiples of a round step.
function steps(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= rough);
  const found = [];
  for (let number = Math.ceil(low / step); number * step <= high; number++) found.push(number * step);
  return found;
}

function compact(value) {
  for (const [factor, unit] of [[1e9, " G"], [1e6, " M"], [1e3, " K"]]) {
    if (value >= factor) return Number((value / factor).toPrecision(3)) + unit;
  }
  return String(Number(value.toPrecision(3)));
}
