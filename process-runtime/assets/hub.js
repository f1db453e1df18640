// The connections to the server: which runs share a line, how a line is opened, found dead, and reconnected where it
// was cut. It touches no element, and runs in a page as in a shared worker.

const EVENTS = ["snapshot", "progress", "log", "end", "gone", "ping"];
const REFUSED = new Set([401, 403, 404]);
const MANY = 100; // runs that one line may have
const SILENCE = 35_000; // ms without even a ping: the line is dead
const GATHER = 10; // ms in which others may join before a line is opened
const LONGEST = 120_000; // ms that a server may ask to be left alone for
const LEAVE = 5_000; // ms after which a line is opened anew without a run that nobody watches any more

// Whole numbers beyond 2^53 keep all their digits where the browser hands out the source.
const parse = (json) => JSON.parse(json, (_, value, context) =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
    ? BigInt(context.source) : value);

// How far into the log a position is: of several, the earliest has all that the others want.
const lineOf = (position) => (position ? Number(position.split("-")[2]) : 0);

/** One line to the streams of the router at `base`. It is opened again after every kind of failure. */
function lineTo(base) {
  const runs = new Map(); // by id: who watches, and the position of the last event that all have who do not wait
  let source = null, timer = 0, due = Infinity, watch = 0, tries = 0, heard = 0, heardAt = 0;

  function note() {
    heard = performance.now();
    heardAt = Date.now();
  }

  // Whichever clock says more: one of them may stand still while the machine sleeps.
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

  // Whoever has just come waits for a snapshot that was asked for with him in mind: all else would leave a gap.
  function tell(run, name, data, position) {
    for (const viewer of [...run.viewers]) {
      if (name === "snapshot" && viewer.asked) viewer.waits = false;
      if (name === "lost" || name === "gone" || (!viewer.waits && (viewer.log || name !== "log"))) viewer.hear(name, data, position);
    }
  }

  function leave(id) {
    runs.delete(id);
    if (runs.size > 0) return;
    // Whoever comes next begins anew: nothing waits for another try any more.
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
      // Nobody has seen anything before the first snapshot.
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

  // An EventSource does not say why it failed: runs that are no longer there, or not for this person, would be asked for
  // without end, and a server that has no place for one more viewer sooner than it wants to be.
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
    /** Whoever begins to watch gets a snapshot, with the log behind the position that it has seen last. */
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
 * Everything that is watched here. `hear(name, data, position)` is called with each event of a run, and with `lost`
 * each time the line to it is cut. What `watch` gives ends it.
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
