// The live parts of a run's page around its bar: the log, the outcome, and the control buttons. It shows and hides
// what the server's panel.rs rendered; change both together.

import { ENDED } from "./connect.js";
import { copyable } from "./copy.js";
import { requestDocument } from "./document.js";
import { write } from "./elements.js";
import { logOf } from "./log.js";
import { local, t } from "./texts.js";
import { resumes } from "./words.js";

const AGAIN = 2_000; // ms until the outcome is requested again
const PATIENCE = 3_000; // ms of cancelling before Force stop is offered: most runs stop immediately

export function follow(panel) {
  const bar = panel.querySelector("process-progress");
  const part = (name) => panel.querySelector(`[data-part="${name}"]`);
  const title = part("title"), again = part("again"), cancel = part("cancel");
  const asks = new Map([...panel.querySelectorAll("[data-ask]")].map((form) => [form.dataset.ask, form]));
  const isResumable = panel.hasAttribute("data-resumable");
  const log = logOf(panel, part);
  let attempt = bar.run?.attempt, cancellingSince = bar.run?.status === "cancelling" ? -PATIENCE : Infinity;

  // A removed button loses the focus: it moves to its replacement, or to the run's title.
  function reveal(form, shown, instead) {
    if (!form || form.hidden !== shown) return;
    const focused = form.contains(document.activeElement);
    form.hidden = !shown;
    if (focused) (instead?.querySelector("button") ?? title).focus({ preventScroll: true });
  }

  function offer() {
    const { status, pausing, stalled } = bar.run, ended = ENDED.has(status);
    const paused = status === "paused" || (status === "running" && pausing);
    const pause = !paused && (status === "queued" || (status === "running" && isResumable));
    const failed = ended && status !== "succeeded";
    // Show before hiding, so that the focus has a target.
    const [from, to] = paused ? ["pause", "resume"] : ["resume", "pause"];
    reveal(asks.get(to), paused || pause);
    reveal(asks.get(from), false, (paused || pause) && asks.get(to));
    reveal(asks.get("force"), (stalled && status === "running")
      || (status === "cancelling" && performance.now() - cancellingSince >= PATIENCE));
    reveal(asks.get("retry"), failed);
    // Without a place to resume from, the other one starts over.
    reveal(asks.get("anew"), failed && bar.run.resume !== null);
    if (status === "cancelling") cancelling(true);
  }

  function paint() {
    const { run } = bar;
    log.paint(run.omitted_lines ?? 0);
    panel.dataset.status = run.status;
    offer();
  }

  // Error, result, files and failed items are as the server writes them: there is one way to show a value.
  async function showOutcome(wait = AGAIN) {
    // On the page of the process, the link that says that this run is in progress.
    document.querySelector(`a[href="#${title.id}"]`)?.closest("p")?.remove();
    const { status, page } = await requestDocument("GET", panel.dataset.address).answered;
    const ended = page?.querySelector(`[data-run="${panel.dataset.run}"]:not([data-live])`);
    // A login page instead of this one.
    write(part("note"), status && status < 404 && !page?.querySelector("[data-run]") ? null : "");
    if (status === 404) return;
    if (!ended) return setTimeout(showOutcome, wait, Math.min(2 * wait, 60_000));
    // A new version of the program may not be able to repeat the run, and says why.
    for (const [name, form] of asks) {
      const fresh = ended.querySelector(`p[data-ask="${name}"]`);
      if (fresh) form.replaceWith(fresh);
    }
    for (const name of ["failure", "outcome"]) {
      const node = part(name), fresh = ended.querySelector(`[data-part="${name}"]`);
      if (!fresh) continue;
      node.replaceChildren(...fresh.childNodes);
      node.querySelectorAll("time[data-zone]").forEach(local);
      node.querySelectorAll("[data-copy]").forEach(copyable);
    }
  }

  function cancelling(isAsked) {
    const button = cancel?.querySelector("button");
    if (!button || button.disabled === isAsked) return;
    // A disabled button loses the focus, which moves to the run's title.
    if (document.activeElement === button) title.focus({ preventScroll: true });
    button.disabled = isAsked;
    button.textContent = t(isAsked ? "action.cancelling" : "action.cancel");
  }

  // A retry leads to another run: the browser navigates there. The bar shows refusals.
  const PLAIN = { pause: () => bar.pause(), resume: () => bar.resume(), force: () => bar.force() };
  for (const [name, how] of Object.entries(PLAIN)) {
    let asking = false; // a disabled button would lose the focus
    asks.get(name)?.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (asking) return;
      asking = true;
      await how().catch(() => {});
      asking = false;
    });
  }

  cancel?.addEventListener("submit", async (event) => {
    event.preventDefault();
    cancelling(true);
    await bar.cancel().catch(() => cancelling(false));
  });

  bar.addEventListener("process-snapshot", ({ detail: { run, log: lines } }) => {
    if (lines) log.take(lines, attempt !== undefined && run.attempt !== attempt);
    attempt = run.attempt;
    if (run.status === "cancelling") cancellingSince = Math.min(cancellingSince, performance.now());
  });
  bar.addEventListener("process-progress", ({ detail: run }) => {
    attempt = run.attempt;
    if (run.status === "cancelling") cancellingSince = Math.min(cancellingSince, performance.now());
  });
  bar.addEventListener("process-log", ({ detail: line }) => log.add(line));
  bar.addEventListener("process-shown", paint);
  bar.addEventListener("process-end", ({ detail: run }) => {
    clearInterval(pulse);
    showOutcome();
    const retry = asks.get("retry")?.querySelector("button");
    if (retry) retry.textContent = resumes(run.resume);
    reveal(cancel, false);
    if (again) again.hidden = false;
  });
  // A run that is gone or hidden cannot be controlled.
  bar.addEventListener("process-gone", () => {
    clearInterval(pulse);
    for (const form of [...asks.values(), cancel]) reveal(form, false);
  });
  // Only the time shows that a run does not stop.
  const pulse = setInterval(() => { if (bar.run) offer(); }, 1000);
}
