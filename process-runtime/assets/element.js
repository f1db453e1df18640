// `<process-progress>`: the state, bar and numbers of one run, on our pages and on others. process-progress.d.ts
// documents it.

import { connect, ENDED } from "./connect.js";
import { make, paced, speaker, time, write } from "./elements.js";
import { left, rate } from "./estimate.js";
import { STYLE } from "./style.js";
import { around, clock, duration, t } from "./texts.js";
import { fullness, lineOf, percentage, stageFullness, staged, steps, toned, tookWords, waits, whole, wording } from "./words.js";

const STALE = 30_000; // ms without an event
const WORDS = ["status", "title", "percent", "count", "stage", "text", "took", "elapsed", "rate", "after", "left"];
const HEARD = ["snapshot", "progress", "log", "end", "gone", "connection"];

// Our own pages have the same rules in their style sheet.
let sheet;
function style() {
  if (sheet) return sheet;
  const own = document.querySelector("link[data-process]")?.sheet;
  sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE || [...own?.cssRules ?? []].map(({ cssText }) => cssText).join("\n"));
  return sheet;
}

const part = (name, of = "span", attributes = {}, ...children) => make(of, { part: name, ...attributes }, ...children);
const slot = (name, ...children) => make("slot", { name }, ...children);

// The default content of the slots.
const frame = () => part("base", "div", {},
  slot("state", part("state", "a", {}, part("status", "span", { class: "status" }))),
  slot("title", part("title", "span", { dir: "auto" })),
  slot("failure"),
  slot("figures", part("figures", "p", { class: "figures" }, part("percent", "strong"), part("count"))),
  slot("bar", part("bar", "progress", { max: 100, "aria-label": t("bar.progress") })),
  slot("inner", part("inner", "div", { class: "inner", hidden: true })),
  slot("stages", part("stages", "ol", { class: "stages", "aria-label": t("stages.label") })),
  slot("says", part("says", "div", { class: "says" }, part("stage", "p", { class: "stage", dir: "auto" }), part("text", "p", { class: "line", dir: "auto" }))),
  slot("counts", part("counts", "ul", { class: "counts", "aria-label": t("counts.label") })),
  part("foot", "div", {},
    slot("facts", part("facts", "div", { class: "facts" }, make("p", {}, part("took"), " ", part("elapsed", "time"), part("rate", "span", { class: "rate" })),
      make("p", {}, part("after"), part("left"), part("note", "span", { class: "note" })))),
    slot("actions", part("cancel-button", "button", { type: "button", hidden: true }))),
  slot("announcement", part("announcement", "p", { class: "unseen", role: "status" })));

/** One count, or the warnings. */
const tallied = (name, n, tone) => make("li", { "data-status": tone }, make("b", {}, whole(n)), " ",
  make("span", { dir: "auto" }, name));

export class ProcessProgress extends HTMLElement {
  static observedAttributes = ["src"];

  #parts = {};
  #connection = null;
  #run = null;
  #since = 0; // when the elapsed time was received
  #queued = null; // since when it is queued, if the page states it
  #news = 0;
  #pulse = 0;
  #lostAt = null; // when the connection was lost: nothing is known since
  #say;
  #quarter = null;
  #wasPaused = false;
  #asking = false; // a cancel was requested and not refused
  #trouble = "";
  #painter = paced(() => this.#paint());

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style()];
    root.append(frame());
    root.querySelector("[part=cancel-button]").addEventListener("click", () => this.cancel().catch(() => {}));
  }

  connectedCallback() {
    this.#open();
  }

  disconnectedCallback() {
    this.#close();
  }

  attributeChangedCallback(name, before, now) {
    // Properties that were set before the definition are read when the element is connected.
    if (before === now || !this.#parts.base) return;
    this.#close();
    this.#forget();
    if (this.isConnected) this.#open();
  }

  /** The known state of the run, or null. */
  get run() {
    return this.#run;
  }

  /** The connection behind it, or null. */
  get connection() {
    return this.#connection;
  }

  get src() {
    return this.getAttribute("src") ?? "";
  }

  set src(address) {
    this.setAttribute("src", address);
  }

  /** Cancels the run; shown immediately. Rejects with the server's message if it is refused. */
  async cancel() {
    if (this.#asking || !this.#connection) return;
    this.#asking = true;
    this.#painter.now();
    await this.#ask("action.cancel", () => this.#connection.cancel(), () => { this.#asking = false; });
  }

  /** Ends a run that does not stop. */
  force() {
    return this.#ask("action.force", () => this.#connection.cancel({ force: true }));
  }

  pause() {
    return this.#ask("action.pause", () => this.#connection.pause());
  }

  resume() {
    return this.#ask("action.resume", () => this.#connection.resume());
  }

  /** Sends a control request; an error is shown and announced. */
  async #ask(action, how, undo = () => {}) {
    this.#trouble = "";
    try {
      await how();
    } catch (error) {
      undo();
      if (this.#connection?.isOver) return;
      const { message, status } = error;
      this.#trouble = message || (status && status !== 401 ? t("note.refused", { status: String(status) }) : t("note.unconfirmed", { action: t(action) }));
      if (!this.#connection?.isSignedOut) this.#say(this.#trouble);
      this.#painter.now();
      throw error;
    }
  }

  // Updates slotted elements by their `data-part`, and otherwise the default content.
  #find() {
    for (const node of this.shadowRoot.querySelectorAll("[part]")) this.#parts[node.getAttribute("part")] = node;
    for (const one of this.shadowRoot.querySelectorAll("slot")) if (one.assignedElements().length > 0) one.replaceChildren();
    for (const node of this.querySelectorAll("[data-part]")) this.#parts[node.dataset.part] = node;
    const { announcement } = this.#parts;
    announcement.hidden = this.hasAttribute("silent");
    this.#say = announcement.hidden ? () => {} : speaker(announcement);
  }

  // ---- events

  #open() {
    this.#find();
    const given = this.getAttribute("snapshot");
    const told = given && JSON.parse(given);
    // It belongs to one run, and the element may have another one by now.
    const run = this.#run ?? (told && (!this.src || this.src.includes(told.id)) ? told : null);
    this.#news = performance.now();
    if (run?.waited_ms !== undefined) this.#queued ??= this.#news - run.waited_ms;
    if (run) this.#take(run);
    if (!this.src) return this.#painter.now();
    this.#connection = connect(this.src, {
      run, log: this.hasAttribute("log"), last: this.getAttribute("position") ?? undefined,
    });
    for (const name of HEARD) this.#connection.addEventListener(name, (event) => this.#hear(name, event.detail));
    if (this.hasAttribute("link") && this.#parts.state) this.#parts.state.href = this.src;
    if (!this.#connection.isOver) this.#pulse = setInterval(() => this.#tick(), 1000);
    this.#painter.now();
  }

  #close() {
    clearInterval(this.#pulse);
    this.#connection?.close();
    this.#connection = null;
  }

  // Nothing of the previous run remains.
  #forget() {
    const parts = this.#parts;
    this.#run = this.#quarter = this.#queued = this.#lostAt = null;
    this.toggleAttribute("lost", false);
    this.#wasPaused = this.#asking = false;
    this.#trouble = "";
    for (const name of WORDS) write(parts[name], "");
    for (const node of [parts.base, parts.status, parts.bar]) delete node.dataset.status;
    for (const name of ["value", "aria-valuetext"]) parts.bar.removeAttribute(name);
    for (const node of [parts.inner, parts.stages, parts.counts, parts["cancel-button"]]) node.hidden = true;
    delete parts.counts.dataset.said;
    if (this.hasAttribute("link")) parts.state.removeAttribute("href");
  }

  #hear(name, detail) {
    if (name === "connection") {
      this.#lostAt = detail.lost ? this.#lostAt ?? performance.now() : null;
      if (detail.signedOut) this.#say(t("note.sign_in"));
    } else this.#news = performance.now();
    this.toggleAttribute("lost", this.#lostAt !== null);
    if (name === "snapshot") this.#take(detail.run, true);
    if (name === "progress") this.#take(detail);
    if (name === "end") this.#end(detail);
    if (name === "gone") {
      clearInterval(this.#pulse);
      this.#trouble = t("note.gone");
    }
    // Dispatched first, so that changes by listeners are painted together.
    this.dispatchEvent(new CustomEvent(`process-${name}`, { detail, bubbles: true, composed: true }));
    if (name === "end" || name === "connection") this.#painter.now();
    else this.#painter.soon();
  }

  #take(run, isWhole = false) {
    const before = this.#run, now = performance.now();
    this.#run = run;
    this.#since = now;
    if (isWhole || before) this.#milestones(before);
  }

  #milestones(before) {
    const run = this.#run, quarter = Math.floor((run.percent ?? 0) / 25), state = wording(run);
    if (ENDED.has(run.status)) return;
    const resumed = this.#wasPaused && state === t("status.running");
    if (this.#quarter === null) this.#say(`${state}: ${run.title}${run.percent ? `, ${percentage(run)}` : ""}`);
    else if (before && state !== wording(before)) {
      // Whatever became of a request, this is the truth.
      this.#trouble = "";
      this.#say(resumed ? t("status.resumed") : state);
    } else if (quarter > this.#quarter && quarter < 4) this.#say(t("percent", { n: quarter * 25 }));
    this.#quarter = Math.max(this.#quarter ?? 0, quarter);
    this.#wasPaused = toned(run) === "paused" || (this.#wasPaused && !resumed);
  }

  #end(run) {
    clearInterval(this.#pulse);
    this.#run = run;
    const error = run.error ? `. ${run.error.split("\n")[0].slice(0, 200)}` : "";
    this.#say(`${wording(run)}: ${run.title}${error}`);
  }

  // ---- rendering

  #tick() {
    const parts = this.#parts, run = this.#run, moves = run?.status === "running" && !(run.percent >= 100) && !this.#connection?.isLost;
    // Once a second, because these values would flicker at every repaint.
    const heard = moves ? run.elapsed_ms + Math.max(0, (this.#connection?.heardAt ?? 0) - this.#since) : 0;
    write(parts.rate, moves ? rate(run, heard) : "");
    write(parts.left, moves ? left(run, this.#elapsed(), heard) : "");
    this.#paintTime();
  }

  #elapsed() {
    const { status, elapsed_ms: told } = this.#run;
    if (waits(this.#run)) return this.#queued === null ? null : (this.#lostAt ?? performance.now()) - this.#queued;
    const ticks = !this.#connection?.isOver && (status === "running" || status === "cancelling");
    return Math.max(0, told + (ticks ? (this.#lostAt ?? performance.now()) - this.#since : 0));
  }

  #paintTime() {
    const { elapsed, note, left } = this.#parts, run = this.#run;
    if (run) {
      const ms = this.#elapsed(), words = ms === null ? "" : duration(ms, ENDED.has(run.status));
      if (elapsed.textContent !== words) {
        elapsed.textContent = words;
        elapsed.dateTime = `PT${Math.floor(ms / 1000)}S`;
      }
    }
    const noted = this.#noted(), isPolled = noted === "" && !!this.#connection?.isPolling;
    write(note, isPolled ? t("note.polling") : noted);
    note.classList.toggle("polling", isPolled);
    left.hidden = noted !== "";
  }

  #noted() {
    const run = this.#run, quiet = performance.now() - this.#news;
    if (this.#connection?.isSignedOut) return null;
    if (this.#trouble) return this.#trouble;
    if (this.#connection?.isLost) return t("note.lost", { time: clock(quiet) });
    if (!run) return this.#connection && quiet > 1000 ? t("note.connecting") : "";
    if (run.status === "queued" && run.due_at) return t("note.next_try", { time: time(run.due_at).textContent });
    return run.status === "running" && quiet > STALE ? t("note.silent", { time: duration(quiet) }) : "";
  }

  #paint() {
    this.#paintTime();
    if (!this.#run) return;
    const parts = this.#parts, over = ENDED.has(this.#run.status);
    const run = this.#asking && !over ? { ...this.#run, status: "cancelling" } : this.#run;
    parts.base.dataset.status = parts.status.dataset.status = parts.bar.dataset.status = toned(run);
    write(parts.title, run.title);
    write(parts.status, wording(run));
    write(parts.percent, percentage(run));
    write(parts.count, steps(run));
    write(parts.stage, staged(run.stage));
    write(parts.text, lineOf(run));
    write(parts.took, tookWords(run));
    if (over) {
      for (const name of ["left", "rate"]) write(parts[name], "");
      if (run.finished_at) parts.after.replaceChildren(...around("run.ended", "time", time(run.finished_at, "moment")));
    }
    const value = fullness(run);
    // A run that has ended before it got anywhere has no bar.
    for (const node of [parts.figures, parts.bar]) if (node) node.hidden = over && !(value > 0);
    if (value === null) parts.bar.removeAttribute("value");
    else parts.bar.value = value;
    const spoken = [percentage(run), steps(run), over ? "" : parts.left.textContent].filter(Boolean).join(", ");
    if (parts.bar.getAttribute("aria-valuetext") !== spoken) parts.bar.setAttribute("aria-valuetext", spoken);
    const button = parts["cancel-button"];
    if (button) {
      button.hidden = over || !this.hasAttribute("controls");
      button.disabled = run.status === "cancelling";
      write(button, t(button.disabled ? "action.cancelling" : "action.cancel"));
    }
    this.#paintInner(run.inner);
    this.#paintStages(run, stageFullness(run));
    this.#paintCounts(run);
    this.dispatchEvent(new CustomEvent("process-shown", { bubbles: true, composed: true }));
  }

  // The bar of a loop inside of the loop that moves the bar of the run.
  #paintInner(inner) {
    const node = this.#parts.inner;
    node.hidden = !inner;
    if (!inner) return node.replaceChildren();
    // Made on use: pages without nested loops have one bar.
    if (!node.firstChild) node.append(part("inner-bar", "progress", { max: 100, "aria-label": t("bar.inner") }), part("inner-count"));
    const [bar, count] = node.children;
    if (inner.percent === null) bar.removeAttribute("value");
    else bar.value = inner.percent;
    write(count, steps(inner));
  }

  // Every stage has its own bar: completed ones are full, the current one moves, and the rest are empty.
  #paintStages({ stage, stages = [] }, value) {
    const { stages: list } = this.#parts;
    const many = stage && (stages.length > 0 || stage.of > 1);
    list.hidden = !many;
    if (!many) return;
    const ahead = stage.index !== null && stage.of !== null ? Math.min(Number(stage.of) - Number(stage.index), 20) : 0;
    const wanted = [...stages.map(({ name, elapsed_ms: ms }) => [name, 100, ms]), [stage.name, value], ...Array(ahead).fill(["", 0])];
    while (list.children.length > wanted.length) list.lastChild.remove();
    wanted.forEach(([name, full, ms], index) => {
      let item = list.children[index];
      if (!item) list.append(item = make("li", {}, part("stage-bar", "progress", { max: 100 }), make("span", { dir: "auto" }), make("small")));
      const [bar, words, took] = item.children, label = name || t("stage.ahead");
      if (full === null) bar.removeAttribute("value");
      else bar.value = full;
      if (bar.ariaLabel !== label) bar.ariaLabel = label;
      write(words, name);
      write(took, ms === undefined ? "" : duration(ms, true));
      item.toggleAttribute("aria-current", index === stages.length);
    });
  }

  #paintCounts({ counts = {}, warnings: all = 0 }) {
    // A failed item is also a warning in the log.
    const warnings = Math.max(0, all - Number(counts.failed ?? 0));
    const { counts: list } = this.#parts, names = Object.entries(counts);
    const said = JSON.stringify([names, warnings]);
    if (list.dataset.said === said) return;
    list.dataset.said = said;
    list.hidden = names.length === 0 && !warnings;
    list.replaceChildren(...names.map(([name, n]) => tallied(name, n, name === "failed" ? "failed" : undefined)));
    if (warnings) list.append(tallied(t("counts.warnings", { n: warnings }), warnings, "warned"));
  }
}

if (!customElements.get("process-progress")) customElements.define("process-progress", ProcessProgress);
