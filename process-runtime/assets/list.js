// The page that lists every process: the run of each that matters most, kept up to date, and the search. The server's index.rs
// renders the same rows; change both together.

import { ENDED } from "./connect.js";
import { make, speaker, time, write } from "./elements.js";
import { beside, keepLooking } from "./looking.js";
import { clock, t } from "./texts.js";
import { toned, wording } from "./words.js";

function latest(run, address) {
  if (!ENDED.has(run.status)) {
    return [make("process-progress", { src: address, compact: true, link: true, silent: true, snapshot: JSON.stringify(run) })];
  }
  const state = make("span", { class: "status", "data-status": toned(run) }, wording(run));
  const number = make("span", { class: "soft" }, make("bdi", { dir: "ltr" }, run.number ? `#${run.number}` : ""));
  return [make("p", {}, make("a", { href: address }, state), " ", number), make("p", { class: "soft" }, time(run.finished_at, "moment"))];
}

export function followAll(list) {
  const part = (name) => document.querySelector(`[data-part="${name}"]`);
  const say = speaker(part("announcement"));

  function show(cell, run) {
    cell.dataset.latest = run.id;
    cell.replaceChildren(...latest(run, `${list.dataset.base}/runs/${run.id}`));
  }

  let away = "", stream = {}, shown = performance.now();
  function noted() {
    const { lost, signedOut } = stream;
    write(part("note"), signedOut ? null : lost && away === "" ? t("note.lost", { time: clock(performance.now() - shown) }) : away);
  }
  const look = keepLooking(list.dataset.base || "/", (text) => {
    away = text;
    noted();
  }, ({ processes }) => {
    const cells = new Map([...list.querySelectorAll("[data-latest]")].map((cell) => [cell.dataset.process, cell]));
    for (const { process, latest: run, active_runs: active } of processes) {
      const cell = cells.get(process);
      if (!run || !cell) continue;
      const isLive = cell.querySelector("process-progress") !== null;
      if (cell.dataset.latest !== run.id || isLive === ENDED.has(run.status)) show(cell, run);
      const more = cell.parentNode.querySelector(".more");
      more.hidden = false;
      write(more.querySelector('[data-part="beside"]'), beside(active, run));
    }
  });

  list.addEventListener("process-shown", () => {
    if (!stream.lost) shown = performance.now();
  });
  list.addEventListener("process-connection", ({ detail }) => {
    stream = detail;
    noted();
  });
  list.addEventListener("process-end", ({ target, detail: run }) => {
    show(target.closest("[data-latest]"), run);
    say(`${wording(run)}: ${run.title}`);
    // Another run may be active.
    look();
  });
  list.addEventListener("process-gone", ({ target }) => target.replaceWith(make("p", { class: "soft" }, t("note.gone"))));
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
