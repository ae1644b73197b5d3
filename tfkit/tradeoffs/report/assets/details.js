// A point that opens: its template, and in it the parts that it shares with other points.
const dialog = document.getElementById("details");

function openPoint(place) {
  const opened = document.getElementById("opened");
  opened.replaceChildren(document.getElementById(`point-${place}`).content.cloneNode(true));
  for (const hole of opened.querySelectorAll("[data-part]")) {
    hole.append(document.getElementById(hole.dataset.part).content.cloneNode(true));
  }
  dialog.showModal();
  dialog.scrollTop = 0;
}

document.getElementById("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // beside it
});
