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
// What would still be kept of a form that is being sent would come after it.
document.addEventListener("htmx:before:request", (event) => {
  if (sent.has(event.detail.ctx.sourceElement.closest("form"))) event.preventDefault();
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// What htmx sends while somebody types: only the fields of hx-params ("title,code" or "not draft"), which htmx itself no
// longer reads, and never a form's token, which would stand in addresses; a header carries one where it is needed.
document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement, request } = event.detail.ctx;
  const words = sourceElement.getAttribute("hx-params");
  const names = words?.replace(/^not /, "").split(",").map((name) => name.trim()) ?? [];
  const isWanted = (name) => words === null || names.includes(name) !== words.startsWith("not ");
  for (const name of new Set(request.body.keys())) {
    if (name === "csrf" || !isWanted(name)) request.body.delete(name);
  }
});

// <button type="button" data-print hidden>: shown only where it works.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A refused form starts at what to correct.
document.getElementById("error-summary")?.focus();
