// The connection to one run: its known state, its control requests, and the stream that it uses: that of the
// browser's shared worker, or the page's own without one.

import { request } from "./request.js";

export const ENDED = new Set(["succeeded", "failed", "cancelled", "interrupted"]);
const HELLO = 4_000; // ms within which a shared worker must respond
const ALIVE = 60_000; // ms between two messages to the shared worker

// ---- the way to the server, one for all connections of a page

const isVisible = () => document.visibilityState === "visible";
const connections = new Set();
let way = null, counted = 0, mayShare = typeof SharedWorker !== "undefined";

// The same file is the shared worker, and the module for pages without one.
const LINE = new URL("./line.js", import.meta.url).href;

// A browser caches a failed import by its URL, so each attempt uses another one.
async function load(isWanted, lost) {
  for (let tries = 0; isWanted(); tries += 1) {
    try {
      return (await import(tries ? `${LINE}?${tries}` : LINE)).openHub();
    } catch {
      lost();
      await new Promise((again) => setTimeout(again, Math.min(15_000, 1000 * 1.5 ** tries) * (0.75 + Math.random() / 2)));
    }
  }
  return null;
}

function ownWay() {
  const waiting = new Set();
  let isOpen = true;
  const hub = load(() => isOpen, () => { for (const hear of waiting) hear("connection", { isLost: true }); });
  return {
    isShared: false,
    watch(base, id, wish, hear) {
      let leave = () => waiting.delete(hear);
      waiting.add(hear);
      hub.then((hub) => { if (waiting.delete(hear)) leave = hub.watch(base, id, wish, hear, isVisible); });
      return () => leave();
    },
    close() {
      isOpen = false;
    },
  };
}

// A policy name can be created once, even if a page loads both the client and the element. It trusts only this URL.
const POLICY = Symbol.for("process policy");
function trusted(address) {
  const { trustedTypes } = globalThis;
  if (!trustedTypes) return address;
  globalThis[POLICY] ??= trustedTypes.createPolicy("process", { createScriptURL: () => address });
  return globalThis[POLICY].createScriptURL("");
}

function sharedWay() {
  const worker = new SharedWorker(trusted(LINE), { name: "process", type: "module" });
  const { port } = worker, hears = new Map();
  const tell = (message) => port.postMessage({ ...message, hidden: !isVisible() });
  let answered = false;

  function beginAgain() {
    release();
    watchAll();
  }

  // If the worker cannot start for any reason, the page opens its own stream.
  function giveUp() {
    if (answered) return;
    mayShare = false;
    beginAgain();
  }

  worker.onerror = giveUp;
  port.onmessage = ({ data: { hello, again, watch, heard } }) => {
    if (hello) answered = true;
    if (again) beginAgain();
    if (watch) hears.get(watch)?.(...heard);
  };
  const late = setTimeout(giveUp, HELLO), seen = () => tell(), alive = setInterval(seen, ALIVE);
  return {
    isShared: true,
    seen,
    watch(base, id, wish, hear) {
      const watch = counted += 1;
      hears.set(watch, hear);
      tell({ watch, base, id, wish });
      return () => {
        if (hears.delete(watch)) tell({ leave: watch });
      };
    },
    close() {
      clearTimeout(late);
      clearInterval(alive);
      tell({ bye: true });
      port.close();
    },
  };
}

function theWay() {
  if (way) return way;
  try {
    way = mayShare ? sharedWay() : ownWay();
  } catch {
    // The page's content security policy forbids it.
    mayShare = false;
    way = ownWay();
  }
  return way;
}

const watchAll = () => { for (const one of connections) one.watch(); };

function release(keep = () => false) {
  for (const one of connections) if (!keep(one)) one.rest();
  if ([...connections].some(keep)) return;
  way?.close();
  way = null;
}

// A page in the back/forward cache closes its stream, and reconnects when it is shown again. A hidden page does the
// same if the stream is its own, because a browser has few connections.
function putAside() {
  way?.seen?.();
  if (isVisible()) watchAll();
  else if (way && !way.isShared) release((one) => one.background);
}

if (typeof document !== "undefined") {
  addEventListener("pagehide", () => release());
  addEventListener("pageshow", ({ persisted }) => { if (persisted) watchAll(); });
  document.addEventListener("freeze", () => release());
  document.addEventListener("resume", watchAll);
  document.addEventListener("visibilitychange", putAside);
  addEventListener("focus", putAside); // the person may have signed in again in another window
}

// ---- one run

const FOUND = { isLost: false, isSignedOut: false };

/** A followed run. Its events are those of the stream, and `connection`; see client.d.ts. */
export class Connection extends EventTarget {
  #base;
  #wish;
  #leave = null;

  constructor(address, { log = true, background = false, run = null, last } = {}) {
    super();
    const { origin, pathname } = new URL(address, document.baseURI);
    const [whole, base, id] = /^(.*)\/runs\/([0-9a-f-]{36})\/?$/.exec(pathname) ?? [];
    if (!whole) throw new TypeError(`"${address}" is not the address of a run, such as /processes/runs/{id}`);
    this.#base = origin + base;
    this.#wish = { log, last };
    this.address = `${this.#base}/runs/${id}`;
    Object.assign(this, { id, background, run, isLost: false, isSignedOut: false, isPolling: false, isOver: ENDED.has(run?.status) });
    this.heardAt = performance.now(); // the last sign of the server, even if it was not about this run
    if (this.isOver) return;
    connections.add(this);
    this.watch();
  }

  /** Opens the stream, unless it is open for somebody who is signed in, or the page is hidden and would need its own. */
  watch() {
    if (this.#leave && !this.isSignedOut) return;
    this.rest();
    const way = theWay();
    if (!way.isShared && !this.background && !isVisible()) return;
    this.#wish.isSignedOut = this.isSignedOut;
    this.#leave = way.watch(this.#base, this.id, this.#wish, (...heard) => this.#hear(...heard));
  }

  rest() {
    this.#leave?.();
    this.#leave = null;
  }

  close() {
    this.rest();
    connections.delete(this);
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #become(state) {
    if (Object.keys(state).every((name) => this[name] === state[name])) return;
    Object.assign(this, state);
    this.#say("connection", { lost: this.isLost, signedOut: this.isSignedOut, polling: this.isPolling });
  }

  #hear(name, data, position) {
    if (!this.#leave) return;
    if (name === "connection") return this.#become(data);
    this.heardAt = performance.now();
    if (name === "alive") return;
    this.#wish.last = position;
    if (name === "snapshot") {
      const { log, ...run } = data;
      this.run = run;
      this.#become(FOUND);
      this.#say(name, this.#wish.log ? { run, log } : { run });
    } else if (name === "log") {
      this.#say(name, data);
    } else if (name === "progress") {
      if (!this.run) return;
      this.run = { ...this.run, ...data };
      this.#say(name, this.run);
    } else {
      const { run: id, ...rest } = data;
      if (name === "end") this.run = { ...this.run, ...rest };
      this.isOver = true;
      this.close();
      this.#become({ ...FOUND, isPolling: false });
      this.#say(name, this.run);
    }
  }

  /**
   * Sends a control request: `cancel`, `pause`, `resume`, … Rejects with a message for people, and without a status if
   * the server has not confirmed that it received it.
   */
  async ask(what) {
    const answer = await request(`${this.address}/${what}`, { method: "POST" }).catch(() => ({}));
    const { isOut, isOurs, ok, status } = answer;
    if (ok && !isOut) return;
    if (isOut && !this.isOver) {
      this.#become({ isLost: true, isSignedOut: true });
      // The stream ends too, and is back once the person has signed in again.
      this.watch();
    }
    const { detail } = isOurs && !isOut ? await answer.json().catch(() => ({})) : {};
    // A proxy that does not reach the server tells as little as no answer.
    throw Object.assign(new Error(detail), isOurs || /^4/.test(status) ? { status } : {});
  }

  cancel({ force = false } = {}) {
    return this.ask(force ? "cancel?force=yes" : "cancel");
  }

  pause() {
    return this.ask("pause");
  }

  resume() {
    return this.ask("resume");
  }
}

/** Follows the run at `address`. */
export const connect = (address, options) => new Connection(address, options);
