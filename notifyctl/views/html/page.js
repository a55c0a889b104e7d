"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const articles = [...document.querySelectorAll("article")];
  const choosers = ["channel", "locale", "category"];
  const filter = () => {
    const words = find("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const article of articles) {
      const fits = choosers.every((name) => !find(name).value || article.dataset[name] === find(name).value);
      article.hidden = !(fits && words.every((word) => article.dataset.search.includes(word)));
      shown += article.hidden ? 0 : 1;
    }
    find("count").textContent = shown === articles.length ? `${shown} messages` : `${shown} of ${articles.length} messages`;
  };
  find("search").addEventListener("input", filter);
  for (const name of choosers) find(name).addEventListener("change", filter);
  document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  find("shade").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.shade ? root.dataset.shade === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.shade = dark ? "light" : "dark";
  });
})();
