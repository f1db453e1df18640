// The connections to the server: which runs share a stream, how it is opened, found dead and reconnected, and what
// replaces it where a proxy holds it back. It uses no DOM, and runs in a page or in a shared worker.

import { request } from "./request.js";

const EVENTS = ["snapshot", "progress", "log", "end", "gone", "ping"];
const MANY = 100; // runs per stream
const SILENCE = 30_000; // ms without even a ping, one of which comes every 15 s: the stream is dead or held back
const DOUBT = 20_000; // the same for a stream that was opened because of that
const UNHEARD = 8_000; // the same for one that has not even brought its snapshots
const PROOF = 5_000; // ms between two signs to a run without events that its stream is alive
const POLL = 4_000; // ms between two requests without a stream
const TRIAL = 64; // so many requests later, a stream is tried again
const OUT = 30_000; // ms until a person who is signed out may have signed in again
const GATHER = 10; // ms to wait for further runs before a stream is opened
const LONGEST = 120_000; // the longest Retry-After in ms that is obeyed
const LEAVE = 5_000; // ms after which a stream is reopened without a run that is no longer watched

const SIGNED_OUT = { isLost: true, isSignedOut: true };

// Integers beyond 2^53 keep all digits if the browser provides the source text.
const parse = (json) => JSON.parse(json, (_, value, context) =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
    ? BigInt(context.source) : value);

// The log position: of several, the earliest covers the others.
const lineOf = (position) => (position ? Number(position.split("-")[2]) : 0);

const shaken = (ms) => ms * (0.75 + Math.random() / 2);

/** One stream from the router at `base`. It reconnects after every kind of failure. */
function lineTo(base) {
  const runs = new Map(); // by id: the watchers, and the position of the last event of those that are up to date
  let source = null, looking = null, timer = 0, due = Infinity, watch = 0, tries = 0, heard = 0, heardAt = 0;
  let first = 0; // when this stream brought its first event
  let proved = 0; // when the runs were last told that their stream is alive
  let doubts = 0; // how often the server answered since a stream brought anything: from 2 on, streams are held back
  let state = {}; // as a connection has it

  function note() {
    heard = performance.now();
    heardAt = Date.now();
  }

  // The larger difference of two clocks, because one of them may stop while the machine sleeps.
  const silence = () => Math.max(performance.now() - heard, Date.now() - heardAt);

  const isSeen = () => [...runs.values()].some(({ viewers }) => [...viewers].some((viewer) => viewer.isSeen()));

  function hangUp() {
    clearTimeout(timer);
    due = Infinity;
    source?.close();
    source = looking = null;
  }

  function plan(act, ms) {
    if (performance.now() + ms >= due) return;
    clearTimeout(timer);
    due = performance.now() + ms;
    timer = setTimeout(act, ms);
  }

  // A new watcher waits for a snapshot that was requested for it: other events would leave a gap.
  function tell(run, name, data, position) {
    for (const viewer of [...run.viewers]) {
      if (name === "snapshot" && viewer.asked) viewer.waits = false;
      if (/gone|connection|alive/.test(name) || (!viewer.waits && (viewer.log || name !== "log"))) viewer.hear(name, data, position);
    }
  }

  function become(next) {
    state = next;
    for (const run of runs.values()) tell(run, "connection", state);
  }

  function leave(id) {
    runs.delete(id);
    if (runs.size > 0) return;
    // The next watcher starts over: no retry is pending.
    tries = 0;
    if (!state.isSignedOut) state = {};
    hangUp();
    clearInterval(watch);
    watch = 0;
  }

  function take(name, data, position) {
    const id = data.run ?? data.id, run = runs.get(id);
    if (name === "snapshot") {
      tries = 0;
      state = {};
    }
    // Whatever arrives proves that the runs without events have none.
    if (performance.now() - proved > PROOF) {
      proved = performance.now();
      for (const one of runs.values()) tell(one, "alive");
    }
    if (!run || name === "ping") return;
    run.position = position;
    tell(run, name, data, position);
    if (name !== "end" && name !== "gone") return;
    for (const viewer of run.viewers) if (!viewer.waits || name === "gone") run.viewers.delete(viewer);
    if (run.viewers.size === 0) leave(id);
  }

  function address() {
    const asked = new URLSearchParams();
    for (const [id, { viewers }] of runs) asked.append([...viewers].some(({ log }) => log) ? "run" : "progress", id);
    for (const { viewers, position } of runs.values()) {
      const all = [...viewers].filter(({ waits }) => waits).map(({ last }) => last);
      // Before the first snapshot, no watcher has a position.
      if (all.length < viewers.size) all.push(position);
      if (all.every(Boolean)) asked.append("last", all.sort((one, other) => lineOf(one) - lineOf(other))[0]);
      for (const viewer of viewers) viewer.asked = true;
    }
    return `${base}/events?${asked}`;
  }

  function open() {
    hangUp();
    note();
    first = 0;
    watch ||= setInterval(check, 1000);
    const opened = source = new EventSource(address());
    for (const name of EVENTS) {
      opened.addEventListener(name, ({ data, lastEventId }) => {
        if (source !== opened) return;
        note();
        prove();
        take(name, parse(data), lastEventId);
      });
    }
    opened.onerror = () => { if (source === opened) again(); };
  }

  // Some proxies pass on the beginning of a stream and hold back the rest: later events prove that this one does not.
  function prove() {
    first ||= heard;
    if (!doubts || heard - first < 1000) return;
    doubts = 0;
    become({ isPolling: false });
  }

  function check() {
    if (!source || silence() <= (!doubts ? SILENCE : first ? DOUBT : UNHEARD)) return;
    if (isSeen()) look();
    // For a hidden page one reconnect is enough: even where events are held back, the end of the run ends the stream.
    else if (!doubts) trust();
  }

  function trust() {
    doubts = 1;
    open();
  }

  function again() {
    hangUp();
    // An EventSource does not report why it failed.
    if (tries || doubts) return look();
    tries = 1;
    become({ isLost: true });
    plan(open, shaken(1000));
  }

  // What a stream would bring now, in one complete response, which no proxy holds back; or why there is no stream.
  async function look() {
    hangUp();
    const mine = looking = {}, asked = [...runs];
    let answer = null, events = null;
    try {
      answer = await request(address());
      if (answer.ok && !answer.isOut) events = parse(await answer.text());
    } catch {
      // It was not answered, or not completely.
    }
    if (looking !== mine) return;
    if (events) return caughtUp(events);
    if (answer?.isOurs && /40[34]/.test(answer.status)) {
      for (const [id, run] of asked) {
        tell(run, "gone", { run: id });
        if (runs.get(id) === run) leave(id);
      }
      if (runs.size > 0) open();
      return;
    }
    const wait = Number(answer?.headers.get("retry-after")) * 1000;
    // Never earlier than asked.
    plan(look, shaken(wait > 0 ? Math.min(wait, LONGEST) / 0.75 : answer?.isOut ? OUT : Math.min(15_000, 1000 * 1.5 ** tries)));
    tries += 1;
    become(answer?.isOut ? SIGNED_OUT : { isLost: true, isSignedOut: false });
  }

  function caughtUp(events) {
    for (const { event, data, id } of events) take(event, data, id);
    if (runs.size === 0) return;
    if (!doubts) return trust();
    doubts += 1;
    become({ isPolling: true });
    plan(() => (isSeen() && doubts % TRIAL ? look() : open()), shaken(POLL));
  }

  addEventListener("online", () => { if (tries && runs.size) look(); });

  return {
    base,
    has: (id) => runs.has(id),
    hasRoom: () => runs.size < MANY,
    /** A new watcher gets a snapshot, with the log after its last position. */
    add(id, viewer) {
      const run = runs.get(id) ?? { viewers: new Set(), position: undefined };
      runs.set(id, run);
      run.viewers.add(viewer);
      if (viewer.isSignedOut) state = SIGNED_OUT;
      queueMicrotask(() => viewer.hear("connection", state));
      // A retry is pending, but a person who was signed out may have signed in again.
      if (!tries || state.isSignedOut) plan(state.isSignedOut || doubts > 1 ? look : open, GATHER);
      return () => {
        if (!run.viewers.delete(viewer) || run.viewers.size > 0 || runs.get(id) !== run) return;
        leave(id);
        if (source) plan(open, LEAVE);
      };
    },
  };
}

/**
 * The watched runs. `hear(name, data, position)` is called with each event of a run, and with `connection` when that
 * changes, and `alive` from time to time. `isSeen` tells whether the watcher is visible. The function that `watch` returns ends it.
 */
export function openHub() {
  const lines = [];
  return {
    watch(base, id, { log, last, isSignedOut }, hear, isSeen) {
      const own = lines.filter((line) => line.base === base);
      let line = own.find((one) => one.has(id)) ?? own.find((one) => one.hasRoom());
      if (!line) lines.push(line = lineTo(base));
      return line.add(id, { log, hear, isSeen, last, isSignedOut, waits: true });
    },
  };
}
