// Connects fields and buttons to the state.
function limit(field) {
  return field.value === "" ? null : Number(field.value);
}

function readFilters(form) {
  const fields = form.elements;
  change({
    text: fields.text.value.trim(),
    model: fields.model.value,
    device: fields.device.value,
    maxLatency: fields.maxLatency ? limit(fields.maxLatency) : null,
    maxInstructions: fields.maxInstructions ? limit(fields.maxInstructions) : null,
    minAccuracy: limit(fields.minAccuracy),
    trusted: fields.trusted.checked,
  });
}

function switchSeries(button) {
  const hidden = new Set(state.hidden);
  const series = Number(button.dataset.series);
  const shown = hidden.delete(series) || !hidden.add(series);
  button.setAttribute("aria-pressed", String(shown));
  change({ hidden });
}

function start() {
  const form = document.getElementById("filters");
  form.addEventListener("input", () => readFilters(form));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    for (const button of document.querySelectorAll("[data-series]")) button.setAttribute("aria-pressed", "true");
    state.hidden = new Set();
    setTimeout(() => readFilters(form)); // the fields are emptied after this event
  });
  for (const name of ["axis", "metric"]) {
    for (const choice of document.querySelectorAll(`input[name=${name}]`)) {
      if (choice.checked) state[name] = choice.value; // a browser keeps what was chosen before a reload
      choice.addEventListener("change", () => change({ [name]: choice.value }));
    }
  }
  for (const button of document.querySelectorAll("[data-series]")) {
    button.addEventListener("click", () => switchSeries(button));
  }
  for (const button of document.querySelectorAll("[data-key]")) {
    button.addEventListener("click", () => sortBy(button.dataset.key));
  }
  for (const button of document.querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => openPoint(Number(button.dataset.open)));
  }
  document.getElementById("save").addEventListener("click", saveCsv);
  followers.push(drawCharts, drawBars, drawTable);
  readFilters(form);
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth !== width) drawCharts(); // a phone's bars change the height while it scrolls
    width = window.innerWidth;
  });
}

document.getElementById("no-script").hidden = true;
if (data.points.length > 0) start();
