
// The chosen message: marked in the list for eyes and for screen readers. Arrow keys walk through the list.
const rowsShown = () => all(".row").filter((row) => !row.parentElement.hidden);
function choose() {
  const rows = all(".row");
  const chosen = rows.find((row) => row.hash === location.hash) ?? rows[0];
  for (const row of rows) row.removeAttribute("aria-current");
  chosen?.setAttribute("aria-current", "true");
  fitAll();
}
addEventListener("hashchange", choose);
choose();
document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !event.target.matches(".row")) return;
  const rows = rowsShown();
  const next = rows[rows.indexOf(event.target) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
});
document.addEventListener("change", (event) => {
  if (!event.target.name?.startsWith("screen:")) return;
  const figure = event.target.closest(".mail").querySelector("figure");
  figure.classList.toggle("small", event.target.value === "small");
  const frame = figure.querySelector("iframe");
  frame.dataset.width = event.target.value === "small" ? 375 : 640;
  fit(frame);
});

// New messages wait behind a button, so that nothing moves under the reader; receipts change the words of their message.
const policyOf = (page) => page.querySelector("meta[http-equiv]").content;
const countOf = (page) => Number(page.querySelector("main").dataset.messages);
const live = document.querySelector(".live");
let known = null, waiting = null;
const say = (words) => { if (live.textContent !== words) live.textContent = words; };
function offer() {
  const count = countOf(waiting) - countOf(document);
  const button = document.querySelector(".fresh");
  button.textContent = `Show ${count} new ${count === 1 ? "message" : "messages"}`;
  button.hidden = false;
  say(`Live, ${count} new`);
}
function take(page, parts) {
  for (const part of parts) {
    const [old, fresh] = [document.querySelector(part), page.querySelector(part)];
    if (old && fresh) old.replaceWith(document.adoptNode(fresh));
  }
}
function showNew() {
  // A mail's styles are allowed by this page's policy: with others, or from an empty inbox, the page itself is loaded again.
  if (policyOf(waiting) !== policyOf(document) || !document.querySelector(".mailbox")) { location.reload(); return; }
  const kept = new FormData(form);
  document.querySelector("main").dataset.messages = countOf(waiting);
  take(waiting, [".summary", ".mailbox"]);
  form.replaceChildren(...waiting.querySelector(".filters").childNodes);
  waiting = null;
  for (const box of all(".filters input")) box.checked = kept.getAll(box.name).includes(box.value);
  say("Live");
  collect();
  watchFrames();
  showTheme();
  filter();
  choose();
  document.querySelector(".row")?.focus();
}
function showReceipts(page) {
  for (const row of all("[data-letter]", page)) {
    const here = document.querySelector(`[data-letter="${row.dataset.letter}"]`);
    if (!here || here.dataset.status === row.dataset.status) continue;
    here.dataset.status = row.dataset.status;
    here.querySelector(".badge").replaceWith(document.adoptNode(row.querySelector(".badge")));
    byId(row.dataset.letter)?.querySelector("header").replaceWith(document.adoptNode(page.getElementById(row.dataset.letter).querySelector("header")));
  }
}
document.addEventListener("click", (event) => { if (event.target.matches(".fresh") && waiting) showNew(); });
async function ask() {
  try {
    const version = await (await fetch("/version")).text();
    if (known !== null && version !== known) {
      const page = new DOMParser().parseFromString(await (await fetch("/inbox")).text(), "text/html");
      if (countOf(page) < countOf(document)) location.reload(); // the inbox was cleared
      else showReceipts(page);
      if (countOf(page) > countOf(document)) { waiting = page; offer(); }
    }
    known = version;
    if (!waiting) say("Live");
  } catch { say("Not connected"); /* the server was stopped; it can come back */ }
}
setInterval(ask, 1000);
ask();
