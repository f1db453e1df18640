// Rows of runs in a table, kept as the list on the server is. The server's table.rs renders the same rows; change both
// together.

import { ENDED } from "./connect.js";
import { make, time, write } from "./elements.js";
import { beside, keepLooking } from "./looking.js";
import { around, duration, number, t } from "./texts.js";
import { toned, wording } from "./words.js";

const ERROR = 200; // characters of an error that a row shows

const soft = (...children) => make("p", { class: "soft" }, ...children);
const named = (name) => make("bdi", {}, name);
const firstLine = (error) => {
  const line = error.split("\n").map((one) => one.trim()).find(Boolean) ?? "", all = [...line];
  return all.length > ERROR ? `${all.slice(0, ERROR).join("").trimEnd()}…` : line;
};

function what(run, namesProcess) {
  const { links, title, actor, error, summary, process_title: process } = run;
  const name = make("a", { href: links.self }, make("bdi", { dir: "ltr" }, `#${run.number}`), " ",
    make("span", { dir: "auto" }, title), " ", time(run.created_at, "moment"));
  const about = make("div", {}, name), said = make("div");
  if (namesProcess && process !== title) {
    about.append(soft(process && links.process ? make("a", { href: links.process, dir: "auto" }, process) : run.process));
  }
  if (actor) about.append(soft(...around("run.started_by", "actor", named(actor))));
  if (summary) said.append(make("p", { class: "soft", dir: "auto" }, summary));
  if (error) said.append(make("p", { class: "error", dir: "auto" }, firstLine(error)));
  return make("div", { class: "brief" }, about, said);
}

function state(run) {
  if (!ENDED.has(run.status)) {
    return make("process-progress", { src: run.links.self, compact: true, link: true, silent: true, snapshot: JSON.stringify(run) });
  }
  return make("div", { class: "state" }, make("span", { class: "status", "data-status": toned(run) }, wording(run)),
    make("time", { datetime: `PT${Math.floor(run.elapsed_ms / 1000)}S` }, duration(run.elapsed_ms, true)));
}

function row(run, namesProcess) {
  return make("tr", { "data-id": run.id, "data-live": !ENDED.has(run.status) },
    make("td", {}, what(run, namesProcess)), make("td", {}, state(run)));
}

export function keepRows(table) {
  const { runs: address, most } = table.dataset, namesProcess = table.dataset.processes !== undefined;
  const part = (name) => document.querySelector(`[data-part="${name}"]`);

  function show({ runs, counts }) {
    const body = table.tBodies[0], rows = new Map([...body.rows].map((one) => [one.dataset.id, one]));
    const wanted = runs.slice(0, Number(most)).map((run) => {
      const known = rows.get(run.id), isLive = !ENDED.has(run.status);
      // The bar of an active run moves by itself.
      return known && (known.dataset.live !== undefined) === isLive ? known : row(run, namesProcess);
    });
    if (wanted.length !== body.rows.length || wanted.some((one, index) => body.rows[index] !== one)) {
      const focused = document.activeElement?.closest?.("[data-id]")?.dataset.id;
      for (const [index, one] of wanted.entries()) if (body.rows[index] !== one) body.insertBefore(one, body.rows[index] ?? null);
      while (body.rows.length > wanted.length) body.lastElementChild.remove();
      if (focused && !body.contains(document.activeElement)) body.querySelector(`[data-id="${focused}"] a`)?.focus();
    }
    table.hidden = wanted.length === 0;
    const none = part("none");
    if (none && wanted.length > 0) none.hidden = true;
    if (counts) tally(counts);
    const others = part("beside"), shown = document.querySelector("[data-run] process-progress")?.run;
    if (others && shown && counts) {
      const { running, cancelling, paused, queued } = counts;
      write(others, beside({ running: running + cancelling, paused, queued }, shown));
    }
  }

  function tally(counts) {
    const more = counts.is_complete ? "" : "+";
    for (const chip of document.querySelectorAll("[data-count]")) {
      const name = chip.dataset.count;
      const all = Object.values(counts).reduce((sum, one) => sum + (typeof one === "number" ? one : 0), 0);
      const count = name === "all" ? all : counts[name];
      write(chip.querySelector("b"), number(count) + more);
      chip.hidden = count === 0 && !chip.hasAttribute("aria-current");
    }
  }

  // The bar of a run on the same page has a note too.
  const note = document.querySelector('p[data-part="note"]');
  const look = address ? keepLooking(address, (text) => write(note, text), show) : () => {};
  table.addEventListener("process-end", look);
}
