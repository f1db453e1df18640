// The page that lists every process: the latest run of each, kept up to date, and the search. The server's index.rs
// renders the same rows; change both together.

import { ENDED } from "./connect.js";
import { make, speaker, time, write } from "./elements.js";
import { t } from "./texts.js";
import { toned, wording } from "./words.js";

const LOOK = 5_000; // ms between two polls for runs that were started elsewhere

function latest(run, address) {
  if (!ENDED.has(run.status)) {
    return [make("process-progress", { src: address, compact: true, link: true, silent: true, snapshot: JSON.stringify(run) })];
  }
  const state = make("span", { class: "status", "data-status": toned(run) }, wording(run));
  return [make("p", {}, make("a", { href: address }, state)), make("p", { class: "soft" }, time(run.finished_at, "moment"))];
}

export function followAll(list) {
  const part = (name) => document.querySelector(`[data-part="${name}"]`);
  const say = speaker(part("announcement"));
  let isAway = false;

  function show(cell, run) {
    cell.dataset.latest = run.id;
    cell.replaceChildren(...latest(run, `${list.dataset.base}/runs/${run.id}`));
  }

  async function look() {
    if (document.visibilityState !== "visible") return;
    const answer = await fetch(list.dataset.base || "/", { headers: { accept: "application/json" } }).catch(() => null);
    // A retry is of no use, and a sign-in loads another page.
    if (answer?.status === 401) {
      clearInterval(looking);
      return write(part("note"), t("note.sign_in"));
    }
    isAway = !answer?.ok;
    write(part("note"), isAway ? t("note.reconnecting") : "");
    if (isAway) return;
    const { processes } = await answer.json();
    const cells = new Map([...list.querySelectorAll("[data-latest]")].map((cell) => [cell.dataset.process, cell]));
    for (const { process, latest: run } of processes) {
      const cell = cells.get(process);
      if (run && cell && cell.dataset.latest !== run.id) show(cell, run);
    }
  }

  list.addEventListener("process-connection", ({ detail: { lost } }) => write(part("note"), lost || isAway ? t("note.reconnecting") : ""));
  list.addEventListener("process-end", ({ target, detail: run }) => {
    show(target.closest("[data-latest]"), run);
    say(`${wording(run)}: ${run.title}`);
  });
  list.addEventListener("process-gone", ({ target }) => target.replaceWith(make("p", { class: "soft" }, t(target.connection?.isSignedOut ? "note.sign_in" : "note.gone"))));
  const looking = setInterval(look, LOOK);
}

// Without JavaScript, the server searches.
export function searchIn(form) {
  const rows = [...document.querySelectorAll("[data-found-by]")], words = form.elements.q;
  function find() {
    const wanted = words.value.trim().toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !wanted.every((word) => row.dataset.foundBy.toLowerCase().includes(word));
    for (const group of document.querySelectorAll("[data-group]")) group.hidden = !group.querySelector("[data-found-by]:not([hidden])");
    document.querySelector('[data-part="none"]').hidden = rows.some((row) => !row.hidden);
  }
  words.addEventListener("input", find);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest?.("input, textarea, select")) return;
    event.preventDefault();
    words.focus();
  });
  find();
}
