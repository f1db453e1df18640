// Starts a run from a form and follows it, without any element.

import { start } from "/assets/client.js";

const form = document.querySelector("#headless");
const [wrong, figure, tail] = ["#wrong", "#figure", "#tail"].map((name) => form.querySelector(name));

function show({ text }) {
  const line = document.createElement("li");
  line.textContent = text;
  tail.append(line);
  tail.scrollTop = tail.scrollHeight;
}

// A form may be sent twice by mistake: the same key returns the same run.
let key = crypto.randomUUID?.();

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { ticks, bytes } = form.elements;
  wrong.textContent = "";
  try {
    const run = await start("/demo/metronome", { ticks: Number(ticks.value), bytes: Number(bytes.value) }, { key });
    tail.replaceChildren();
    run.addEventListener("snapshot", ({ detail: { log } }) => log?.lines.forEach(show));
    run.addEventListener("log", ({ detail: line }) => show(line));
    run.addEventListener("progress", ({ detail: { percent } }) => { figure.textContent = `${Math.floor(percent)} %`; });
    run.addEventListener("connection", ({ detail: { lost } }) => { if (lost) figure.textContent = "reconnecting…"; });
    run.addEventListener("end", ({ detail: { status, result, error } }) => {
      figure.textContent = error ?? `${status}: ${result?.ticks} ticks in ${result?.seconds.toFixed(1)} s`;
      key = crypto.randomUUID?.();
    });
  } catch ({ message, errors = [] }) {
    const fields = errors.map(({ field, message }) => `${field} ${message}`);
    wrong.textContent = fields.join("; ") || message;
    key = crypto.randomUUID?.();
  }
});
