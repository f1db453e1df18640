// Owns the state and the bar of a run, wherever they are shown, and the page that lists many: it keeps the row of
// each run true until the run has ended. Refuses to know how events arrive and what figures look like: those are
// stream.js and words.js. It writes text into parts that the page has, as the server's index.rs and panel.rs made
// them; they change together.

const REPAINT = 100; // ms: at most ten repaints a second, and fewer where they are slow
const SPEAK = 5_000; // ms between two announcements
const MANY = 100; // runs that one stream may have; more rows than that stand still

const partsOf = (whole, names) =>
  Object.fromEntries(names.map((name) => [name, whole.querySelector(`[data-part="${name}"]`)]));

function write(part, text) {
  if (part.textContent !== text) part.textContent = text;
}

// Repaints at once if there was none lately: events wake a background tab, timers hardly do.
function paced(paint) {
  let painted = 0, rest = REPAINT, timer = 0;
  function now() {
    clearTimeout(timer);
    timer = 0;
    painted = performance.now();
    paint();
    rest = Math.max(REPAINT, 4 * (performance.now() - painted));
  }
  return {
    now,
    soon() {
      const wait = painted + rest - performance.now();
      if (wait <= 0) now();
      else timer ||= setTimeout(now, wait);
    },
  };
}

// What is said aloud, rarely: the latest only.
function speaker(part) {
  let spoken = -SPEAK, saying = 0;
  return (text) => {
    clearTimeout(saying);
    const wait = Math.max(0, spoken + SPEAK - performance.now());
    saying = setTimeout(() => {
      spoken = performance.now();
      part.textContent = text;
    }, wait);
  };
}

const sameStage = (run, data) => data.attempt === run.attempt && data.stage?.name === run.stage?.name;

// What is known of a run when more of it was heard. Within a stage the bar never moves backwards.
function advanced(run, data) {
  const isBack = sameStage(run, data) && data.percent !== null && data.percent < (run.percent ?? 0);
  return { ...run, ...data, percent: isBack ? run.percent : data.percent };
}

const BAR = ["status", "percent", "count", "bar"];

function paintBar(parts, run, more = "") {
  const { status, percent, count, bar } = parts, value = fullness(run);
  status.dataset.status = toned(run);
  write(status, wording(run));
  write(percent, percentage(run));
  write(count, steps(run));
  if (value === null) bar.removeAttribute("value");
  else bar.value = value;
  const spoken = [percentage(run), steps(run), more].filter(Boolean).join(", ");
  if (bar.getAttribute("aria-valuetext") !== spoken) bar.setAttribute("aria-valuetext", spoken);
}

// ---- the active runs of a list, on one line together

function followAll(head) {
  const all = [...document.querySelectorAll("[data-bar]")].slice(0, MANY);
  const rows = new Map(all.map((row) => [row.dataset.bar, { row, parts: partsOf(row, BAR), run: null }]));
  const { note, announcement } = partsOf(head, ["note", "announcement"]);
  const say = speaker(announcement), changed = new Set();
  let line = null;
  const paintNote = () => write(note, line.isLost() ? "Reconnecting…" : "");
  const { now, soon } = paced(() => {
    for (const { row, parts, run } of changed) {
      row.dataset.status = run.status;
      paintBar(parts, run);
    }
    changed.clear();
  });

  // A row that is over is not in the map any more, whatever is said of its run once again.
  function change(id, from) {
    const one = rows.get(id);
    if (!one) return undefined;
    one.run = from(one.run);
    changed.add(one);
    return one;
  }

  function leave(id) {
    rows.delete(id);
    if (rows.size === 0) line.end();
  }

  line = lineTo(`${head.dataset.bars}?${[...rows.keys()].map((id) => `bar=${id}`).join("&")}`, {
    snapshot(data) {
      change(data.id, () => data);
      soon();
      paintNote();
    },
    progress(data) {
      change(data.run, (run) => advanced(run, data));
      soon();
    },
    end(data) {
      const one = change(data.run, (run) => ({ ...run, ...data }));
      if (!one) return;
      now();
      one.row.querySelector(".bar").replaceWith(make("p", { class: "soft" }, time(data.finished_at, "moment")));
      say(`${WORDS[data.status]}: ${one.run.title}`);
      leave(data.run);
    },
    gone({ run }) {
      rows.get(run)?.row.replaceChildren(make("p", { class: "soft" }, "No longer there"));
      leave(run);
    },
  }, paintNote);
}
