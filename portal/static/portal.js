// Small comforts; every page works without them.

// A menu that opens over the page closes with Escape, and when something else is meant.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.dropdown-details[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.dropdown-details[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

// A link to a question opens it in place: <a href="…page…" data-dialog="id">.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  const dialog = link && document.getElementById(link.dataset.dialog);
  if (!dialog?.showModal) return;
  event.preventDefault();
  dialog.showModal();
});

// A form is sent once, however often its button is pressed; the server knows a double by its key all the same.
const sent = new WeakSet();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (event.submitter?.formMethod === "dialog") return;
  if (sent.has(form)) event.preventDefault();
  sent.add(form);
  setTimeout(() => sent.delete(form), 4000);
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// <button type="button" data-print hidden>: shown only where it works.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A refused form starts at what to correct.
document.getElementById("error-summary")?.focus();
