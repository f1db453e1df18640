// The connections to the server: which runs share a stream, and how it is opened, found dead and reconnected. It
// uses no DOM, and runs in a page or in a shared worker.

const EVENTS = ["snapshot", "progress", "log", "end", "gone", "ping"];
const REFUSED = new Set([401, 403, 404]);
const MANY = 100; // runs per stream
const SILENCE = 35_000; // ms without even a ping: the stream is dead
const GATHER = 10; // ms to wait for further runs before a stream is opened
const LONGEST = 120_000; // the longest Retry-After in ms that is obeyed
const LEAVE = 5_000; // ms after which a stream is reopened without a run that is no longer watched

// Integers beyond 2^53 keep all digits if the browser provides the source text.
const parse = (json) => JSON.parse(json, (_, value, context) =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
    ? BigInt(context.source) : value);

// The log position: of several, the earliest covers the others.
const lineOf = (position) => (position ? Number(position.split("-")[2]) : 0);

/** One stream from the router at `base`. It reconnects after every kind of failure. */
function lineTo(base) {
  const runs = new Map(); // by id: the watchers, and the position of the last event of those that are up to date
  let source = null, timer = 0, due = Infinity, watch = 0, tries = 0, heard = 0, heardAt = 0;

  function note() {
    heard = performance.now();
    heardAt = Date.now();
  }

  // The larger difference of two clocks, because one of them may stop while the machine sleeps.
  const silence = () => Math.max(performance.now() - heard, Date.now() - heardAt);

  function hangUp() {
    clearTimeout(timer);
    due = Infinity;
    source?.close();
    source = null;
  }

  function soon(ms) {
    if (performance.now() + ms >= due) return;
    clearTimeout(timer);
    due = performance.now() + ms;
    timer = setTimeout(open, ms);
  }

  // A new watcher waits for a snapshot that was requested for it: other events would leave a gap.
  function tell(run, name, data, position) {
    for (const viewer of [...run.viewers]) {
      if (name === "snapshot" && viewer.asked) viewer.waits = false;
      if (name === "lost" || name === "gone" || (!viewer.waits && (viewer.log || name !== "log"))) viewer.hear(name, data, position);
    }
  }

  function leave(id) {
    runs.delete(id);
    if (runs.size > 0) return;
    // The next watcher starts over: no retry is pending.
    tries = 0;
    hangUp();
    clearInterval(watch);
    watch = 0;
  }

  function take(name, { data: json, lastEventId: position }) {
    note();
    const data = parse(json), id = data.run ?? data.id, run = runs.get(id);
    if (name === "snapshot") tries = 0;
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
    }
    return `${base}/events?${asked}`;
  }

  function open() {
    hangUp();
    note();
    watch ||= setInterval(() => { if (source && silence() > SILENCE) again(); }, 1000);
    const opened = source = new EventSource(address());
    for (const { viewers } of runs.values()) for (const viewer of viewers) viewer.asked = true;
    for (const name of EVENTS) opened.addEventListener(name, (event) => { if (source === opened) take(name, event); });
    opened.onerror = () => { if (source === opened) again(); };
  }

  function again() {
    hangUp();
    soon(Math.min(15_000, 1000 * 1.5 ** tries) * (0.75 + Math.random() / 2));
    tries += 1;
    for (const run of runs.values()) tell(run, "lost");
    if (tries > 1) findOut();
  }

  // An EventSource does not report why it failed. Without this request, runs that are gone or hidden would be requested
  // forever, and a full server earlier than its Retry-After.
  async function findOut() {
    const asked = [...runs];
    const answer = await fetch(address(), { method: "HEAD" }).catch(() => null);
    const wait = Number(answer?.headers.get("retry-after")) * 1000;
    if (wait > 0 && !source && runs.size > 0) {
      hangUp();
      soon(Math.min(wait, LONGEST) * (1 + Math.random() / 2));
    }
    const status = answer?.status;
    if (!REFUSED.has(status)) return;
    for (const [id, run] of asked) {
      tell(run, "gone", { run: id, status });
      if (runs.get(id) === run) leave(id);
    }
  }

  addEventListener("online", () => { if (tries > 0 && runs.size > 0) open(); });

  return {
    base,
    has: (id) => runs.has(id),
    hasRoom: () => runs.size < MANY,
    /** A new watcher gets a snapshot, with the log after its last position. */
    add(id, viewer) {
      const run = runs.get(id) ?? { viewers: new Set(), position: undefined };
      runs.set(id, run);
      run.viewers.add(viewer);
      if (tries === 0) soon(GATHER);
      else queueMicrotask(() => viewer.hear("lost"));
      return () => {
        if (!run.viewers.delete(viewer) || run.viewers.size > 0 || runs.get(id) !== run) return;
        leave(id);
        if (source) soon(LEAVE);
      };
    },
  };
}

/**
 * The watched runs. `hear(name, data, position)` is called with each event of a run, and with `lost` each time the
 * stream breaks. The function that `watch` returns ends it.
 */
export function openHub() {
  const lines = [];
  return {
    watch(base, id, { log, last }, hear) {
      const own = lines.filter((line) => line.base === base);
      let line = own.find((one) => one.has(id)) ?? own.find((one) => one.hasRoom());
      if (!line) lines.push(line = lineTo(base));
      return line.add(id, { log, hear, last, waits: true });
    },
  };
}
