// The script of the page at /elements: it starts runs, connects the elements of the examples to them, and shows the
// source of each example.

import { start } from "/assets/process-progress.js";
import "./client.js";
import "./messages.js";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const live = (name) => document.querySelector(`[data-example="${name}"]`);

// ---- the source of each example, with the run that it follows

function outdented(html) {
  const lines = html.split("\n").filter((line) => line.trim());
  const indent = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent)).join("\n").replaceAll('=""', "");
}

for (const pre of all("[data-source]")) {
  const from = pre.parentElement.querySelector(".live");
  const source = outdented(from.innerHTML);
  const show = () => {
    const elements = all("process-progress", from);
    pre.textContent = source.replaceAll("<process-progress", () => {
      const { src } = elements.shift();
      return `<process-progress src="${src || "/runs/{id}"}"`;
    });
  };
  from.addEventListener("started", show);
  show();
}

// ---- the buttons

async function startFor(elements, { start: process, input = "{}" }) {
  let started;
  for (const element of elements) {
    // In a list, each has its own run; elsewhere, all show the same.
    if (!started || element.hasAttribute("compact")) started = await start(process, JSON.parse(input));
    element.src = new URL(started.address).pathname;
    started.close();
  }
}

for (const button of all("[data-start]")) {
  const from = button.parentElement.querySelector(".live");
  button.addEventListener("click", async () => {
    button.disabled = true;
    await startFor(all("process-progress", from), button.dataset).finally(() => { button.disabled = false; });
    from.dispatchEvent(new Event("started"));
  });
}

// The element shows refusals itself.
for (const button of all("[data-call]")) {
  const element = button.closest(".live").querySelector("process-progress");
  button.addEventListener("click", () => element[button.dataset.call]().catch(() => {}));
}

// ---- `snapshot`

document.querySelector("#take").addEventListener("click", () => {
  const { run } = live("default").querySelector("process-progress");
  const frozen = document.createElement("process-progress");
  const json = JSON.stringify(run ?? { title: "Not started yet", status: "queued", percent: null, current: null, total: null, elapsed_ms: 0 });
  frozen.setAttribute("snapshot", json);
  live("snapshot").replaceChildren(frozen);
  document.querySelector("#taken").textContent = `<process-progress snapshot='${json}'></process-progress>`;
});

// ---- properties and events

const watched = live("members").querySelector("process-progress");
for (const name of ["snapshot", "progress", "end"]) {
  watched.addEventListener(`process-${name}`, () => { document.querySelector("#status").textContent = watched.run?.status; });
}

const heard = document.querySelector("#heard");
function note({ type, detail }) {
  const told = { "process-log": detail?.text, "process-progress": `${detail?.percent} %`, "process-connection": detail?.lost ? "lost" : "there again" };
  const line = document.createElement("li");
  line.textContent = `${type}: ${told[type] ?? detail?.status ?? detail?.run.status ?? ""}`;
  heard.append(line);
  heard.scrollTop = heard.scrollHeight;
}
for (const name of ["snapshot", "progress", "log", "end", "gone", "connection"]) live("events").addEventListener(`process-${name}`, note);

// ---- the shown files, loaded last, so that no button waits for them

for (const pre of all("[data-file]")) {
  const answer = await fetch(pre.dataset.file);
  pre.textContent = (await answer.text()).trim();
}

const style = await fetch("/elements/elements.css");
document.querySelector("#themes").textContent = (await style.text()).split("shown on the page from here */\n")[1].trim();
