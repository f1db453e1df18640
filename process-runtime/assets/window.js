// The progress of a run outside its page: the window's title and icon, and a notification at the end on request.

import { ENDED } from "./connect.js";
import { isolated, t } from "./texts.js";
import { fullness, percentage, toned, wording } from "./words.js";

const COLOURS = { failed: "#c0392b", succeeded: "#2e8b57", running: "#2563c9" };

function icon(run) {
  const width = Math.round((fullness(run) ?? 50) * 0.16), colour = COLOURS[toned(run)] ?? "#b7791f";
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect y="4" width="16" height="8" rx="3" fill="#9994"/>`
    + `<rect y="4" width="${width}" height="8" rx="3" fill="${colour}"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

export function paintWindow(run) {
  const state = toned(run) === "running" ? percentage(run) : run.status === "succeeded" ? t("status.done") : wording(run);
  document.title = `${state} · ${isolated(run.title)}`;
  const link = document.querySelector("link[rel=icon][data-progress]"), address = icon(run);
  if (link && link.getAttribute("href") !== address) link.href = address;
}

/** Offers a notification at the end of the run, if the browser supports it. */
export function offerWord(button, bar) {
  if (typeof Notification === "undefined" || Notification.permission === "denied" || ENDED.has(bar.run?.status)) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const asked = button.getAttribute("aria-pressed") !== "true";
    const isAllowed = asked && await Notification.requestPermission() === "granted";
    button.setAttribute("aria-pressed", isAllowed);
    button.textContent = t(isAllowed ? "tell.will" : asked ? "tell.denied" : "tell.offer");
    // A hidden page keeps its stream for it.
    if (bar.connection) bar.connection.background = isAllowed;
  });
  bar.addEventListener("process-end", ({ detail: run }) => {
    button.hidden = true;
    if (button.getAttribute("aria-pressed") !== "true") return;
    try {
      const word = new Notification(`${wording(run)}: ${run.title}`, { body: run.error?.split("\n")[0] ?? run.text, tag: run.id });
      word.onclick = () => window.focus();
    } catch {
      // Some phones define it, but permit it only in service workers.
    }
  });
}
