// The points that are shown, as CSV: the cells are those of `tfkit report --csv`.
function csvText() {
  const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const lines = data.csv.lines.filter(([place]) => isShown(data.points[place])).map(([, ...cells]) => cells);
  return [data.csv.headings, ...lines].map((cells) => cells.map(quoted).join(",") + "\r\n").join("");
}

function saveCsv() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csvText()], { type: "text/csv" }));
  link.download = "points.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a browser may still be reading it
}
