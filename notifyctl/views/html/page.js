// The page is readable without this script: it adds the theme, search and filters, and measures e-mails.
const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

// Theme: the system's until somebody chooses; remembered where the browser permits. Mails start in the same shade.
const theme = byId("ui:theme");
const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ?? (darkSystem.matches ? "dark" : "light")) === "dark";
function showTheme() {
  theme.setAttribute("aria-pressed", String(isDark()));
  const shade = isDark() ? "dark" : "light";
  for (const choice of all(`.choice input[value="${shade}"]`)) choice.checked = true;
}
try { if (localStorage.theme) root.dataset.theme = localStorage.theme; } catch { /* storage is off */ }
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  try { localStorage.theme = root.dataset.theme; } catch { /* storage is off */ }
  showTheme();
  fitAll();
});
darkSystem.addEventListener("change", () => { showTheme(); fitAll(); });

// Filters: any of a group, all groups, and every searched word. The address keeps them, so that a view can be linked.
const form = byId("ui:filters");
const addressOf = (link) => decodeURIComponent(link.hash.slice(1));
const searched = new Map();
let notes = [], links = new Map();
function textOf(note) {
  if (!searched.has(note)) {
    const mails = all("iframe", note).map((frame) => frame.contentDocument?.body);
    searched.set(note, [note, ...mails].map((part) => part?.textContent ?? "").join(" ").toLowerCase());
  }
  return searched.get(note);
}
function filter() {
  if (!form) return;
  const data = new FormData(form);
  const words = (data.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Set([...data.keys()].filter((name) => name !== "q"));
  let shown = 0;
  for (const note of notes) {
    const has = (group) => (note.dataset[group] ?? "").split(" ");
    const fits = [...groups].every((group) => data.getAll(group).some((value) => has(group).includes(value)));
    note.hidden = !fits || !words.every((word) => textOf(note).includes(word));
    const link = links.get(note.id);
    if (link) link.parentElement.hidden = note.hidden;
    shown += !note.hidden;
  }
  const kept = new URLSearchParams([...data].filter(([, value]) => value)).toString();
  byId("ui:found").textContent = kept ? `${shown} of ${notes.length} shown` : `All ${notes.length} shown`;
  if (byId("ui:nothing")) byId("ui:nothing").hidden = shown > 0 || !notes.length;
  byId("ui:clear").hidden = !kept;
  const query = kept && `?${kept}`;
  if (query !== location.search) {
    try { history.replaceState(null, "", `${location.pathname}${query}${location.hash}`); } catch { /* no address */ }
  }
}
function collect() {
  searched.clear();
  notes = all("[data-note]");
  links = new Map(all(".jump a").map((link) => [addressOf(link), link]));
}
collect();
if (form) {
  for (const [key, value] of new URLSearchParams(location.search)) {
    for (const field of form.elements) {
      if (field.name !== key) continue;
      if (field.type === "checkbox") field.checked ||= field.value === value;
      else field.value = value;
    }
  }
  const inForm = (event) => event.target.form === form;
  document.addEventListener("input", (event) => { if (inForm(event)) filter(); }); // the search stands outside of the form
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { filter(); form.elements.q.focus(); }));
  addEventListener("load", () => { searched.clear(); filter(); });
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    event.preventDefault();
    form.elements.q.focus();
  });
  filter();
}

// Mail frames are as high as their mail. What is wider than its screen shrinks, as on a phone: measured here, scaled by the styles.
const MOST_HIGH = 30000;
function fit(frame) {
  const mail = frame.contentDocument?.documentElement;
  if (!mail || !frame.parentElement.clientWidth) return;
  const asked = Number(frame.dataset.width);
  frame.style.setProperty("--wide", `${asked}px`);
  frame.style.setProperty("--high", "0px");
  const wide = Math.max(asked, mail.scrollWidth);
  frame.style.setProperty("--wide", `${wide}px`);
  frame.style.setProperty("--high", `${Math.min(mail.scrollHeight, MOST_HIGH)}px`);
  const ground = getComputedStyle(frame.contentDocument.body).backgroundColor;
  const outer = getComputedStyle(mail).backgroundColor;
  const clear = "rgba(0, 0, 0, 0)";
  frame.parentElement.style.backgroundColor = ground !== clear ? ground : outer !== clear ? outer : "";
  const note = frame.closest("figure").querySelector("output");
  const share = Math.round((100 * asked) / wide);
  if (note) note.textContent = wide > asked ? ` The layout is ${wide} px wide; a phone shrinks it to ${share}%.` : "";
}
const frames = () => all("iframe");
const fitAll = () => frames().forEach(fit);
const watchFrames = () => { for (const frame of frames()) frame.addEventListener("load", () => fit(frame)); };
watchFrames();
showTheme();
addEventListener("load", fitAll);
addEventListener("change", fitAll);
addEventListener("toggle", (event) => all("iframe", event.target).forEach(fit), true);
addEventListener("resize", fitAll);

// Folded parts open for print and for a link into them; the rail is folded where it would push the page down.
const roomy = matchMedia("(min-width: 64.01rem)");
const fold = () => { const rail = document.querySelector(".rail > details"); if (rail) rail.open = roomy.matches; };
roomy.addEventListener("change", fold);
fold();
function reveal() {
  const target = byId(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
}
addEventListener("hashchange", reveal);
reveal();
addEventListener("beforeprint", () => {
  for (const part of all("main details")) part.open = true;
  for (const choice of all('.choice input[value="light"]')) choice.checked = true; // paper is light
  fitAll();
});
addEventListener("afterprint", () => { showTheme(); fitAll(); });
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const link = links.get(target.id);
    if (isIntersecting) link?.setAttribute("aria-current", "true");
    else link?.removeAttribute("aria-current");
  }
}, { rootMargin: "-25% 0px -74% 0px" });
notes.forEach((note) => seen.observe(note));
