// Owns what moves on a run's page: its panel, which it keeps true, and the buttons that ask something of the run.
// Refuses to know how events arrive, what figures look like, how a bar is kept and how a run is started: those are
// stream.js, words.js, bars.js and form.js. It writes text into parts that the page already has, and shows and hides its buttons,
// as the server's panel.rs made them; the two change together.

const NODES = 2000; // log lines on the page
const STALE = 30_000; // ms without news of the run itself
const PATIENCE = 3_000; // ms of cancelling before it can be ended by force: most runs stop at once

// ---- copying

function copyable(button) {
  if (!navigator.clipboard) return button;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const words = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
    }
    setTimeout(() => { button.textContent = words; }, 2000);
  });
  return button;
}

const copy = (words, text) =>
  copyable(make("button", { class: "small", type: "button", "data-copy": text, hidden: true }, words));

// ---- a run's log

function logOf(panel, part) {
  const box = part("log"), list = box.querySelector("ol"), jump = part("jump");
  let last = Number(panel.dataset.last), waiting = [], following = true, cut = false;
  const atEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < 16;
  const toEnd = () => { box.scrollTop = box.scrollHeight; };
  const look = () => {
    following = atEnd();
    jump.hidden = following;
  };
  box.addEventListener("scroll", look, { passive: true });
  new ResizeObserver(() => { if (following) toEnd(); }).observe(box);
  jump.addEventListener("click", () => {
    toEnd();
    box.focus({ preventScroll: true });
  });
  toEnd();

  const gap = (...words) => make("li", { class: "gap" }, ...words);
  const whole = (words) => gap(make("a", { href: `${panel.dataset.address}/log` }, words));
  const item = ({ seq, at, level, text }) => make("li", { class: level, "data-seq": seq }, time(at), " ",
    make("span", {}, ...(LEVELS[level] ? [make("b", {}, LEVELS[level]), " "] : []), text));

  return {
    add(line) {
      if (line.seq <= last) return;
      if (line.seq > last + 1) waiting.push({ missing: line.seq - last - 1, first: last === 0 });
      last = line.seq;
      waiting.push(line);
      // Nobody can read what would scroll out again before it is painted.
      if (waiting.length > 2 * NODES) {
        waiting = waiting.slice(-NODES);
        cut = true;
      }
    },
    // The lines a snapshot brings: they continue what is shown, or replace it. A crash may have lost lines
    // that are shown; then the run has fewer than this page, or the next attempt has others in their place.
    take({ after, last: newest, lines }, isAnother) {
      const touches = after === last || (lines.length > 0 && lines[0].seq <= last + 1 && lines.at(-1).seq >= last);
      if (isAnother || newest < last || (lines.length > 0 && !touches)) {
        list.replaceChildren();
        waiting = [];
        last = 0;
        cut = false;
      }
      lines.forEach(this.add);
    },
    paint() {
      if (waiting.length === 0) return;
      look(); // the viewer may have scrolled a moment ago
      // One place is for the link to what is no longer here.
      const over = list.children.length + Math.min(waiting.length, NODES - 1) - (NODES - 1);
      if (cut || over > 1) {
        const old = document.createRange();
        old.setStart(list, 0);
        old.setEnd(list, cut ? list.childNodes.length : Math.min(over, list.childNodes.length));
        old.deleteContents();
        waiting = waiting.slice(1 - NODES);
      }
      list.append(...waiting.map((line) => {
        if (!line.missing) return item(line);
        return line.first ? whole(counted(line.missing, "earlier line")) : gap(`${counted(line.missing, "line")} omitted`);
      }));
      if (cut || over > 1) {
        const before = Number(list.querySelector("[data-seq]").dataset.seq) - 1;
        list.querySelector(":scope > .gap:first-child")?.remove();
        list.prepend(whole(counted(before, "earlier line")));
      }
      waiting = [];
      cut = false;
      if (following) toEnd();
      else jump.hidden = false;
    },
  };
}

// ---- one run's panel

function follow(panel) {
  const part = (name) => panel.querySelector(`[data-part="${name}"]`);
  const parts = partsOf(panel, [...BAR, "title", "left", "stage", "text", "took", "elapsed", "after", "note",
    "announcement", "cancel", "again", "outcome"]);
  const log = logOf(panel, part);
  const left = estimator();
  const say = speaker(parts.announcement);
  const { now: paint, soon: repaint } = paced(paintAll);

  let news = performance.now(), since = news, quarter = null;
  let line = null, cancelling = false, trouble = "", ended = false;
  let run = {
    status: panel.dataset.status, elapsed_ms: Number(panel.dataset.elapsed), attempt: Number(panel.dataset.attempt),
  };
  let wasPaused = false; // until it is said that it goes on
  let cancellingSince = run.status === "cancelling" ? -PATIENCE : Infinity;

  function milestones(before) {
    if (ENDED.has(run.status)) return;
    const now = Math.floor((run.percent ?? 0) / 25), state = wording(run);
    if (quarter === null) say(`${state}: ${run.title}${run.percent ? `, ${percentage(run)}` : ""}`);
    else if (state !== before) say(wasPaused && state === WORDS.running ? "Resumed" : state);
    else if (now > quarter && now < 4) say(`${now * 25} %`);
    quarter = Math.max(quarter ?? 0, now);
    wasPaused = toned(run) === "paused" || (wasPaused && state !== WORDS.running);
  }

  // -- what is shown

  function elapsed() {
    const ticking = !ended && (run.status === "running" || run.status === "cancelling");
    return Math.max(0, run.elapsed_ms + (ticking ? performance.now() - since : 0));
  }

  function paintTime() {
    const now = performance.now(), ms = elapsed();
    const words = duration(ms, ended);
    if (parts.elapsed.textContent !== words) {
      parts.elapsed.textContent = words;
      parts.elapsed.dateTime = `PT${Math.floor(ms / 1000)}S`;
    }
    const quiet = Math.floor((now - news) / 1000);
    const silent = run.status === "running" && now - news > STALE ? `No update for ${duration(quiet * 1000)}` : "";
    if (ended) return;
    const next = run.status === "queued" && run.due_at ? `Next try at ${time(run.due_at).textContent}` : "";
    write(parts.note, trouble || (line?.isLost() ? "Reconnecting…" : silent || next));
    parts.left.hidden = parts.note.textContent !== "";
  }

  function paintAll() {
    log.paint();
    if (run.title === undefined) return paintTime();
    const { status, stage } = run;
    const shown = cancelling && !ended ? { ...run, status: "cancelling" } : run;
    panel.dataset.status = shown.status;
    write(parts.took, took(status));
    offer();
    write(parts.title, run.title);
    write(parts.text, run.text);
    write(parts.stage, !stage ? "" : stage.index === null ? stage.name
      : stage.of === null ? `${stage.index} · ${stage.name}` : `${stage.index} of ${stage.of} · ${stage.name}`);
    paintTime();
    paintBar(parts, shown, ended ? "" : parts.left.textContent);
    if (panel.hasAttribute("data-window")) {
      const state = toned(run) === "running" ? percentage(run) : status === "succeeded" ? "Done" : wording(run);
      document.title = `${state} · ${run.title}`;
    }
    if (status === "cancelling") cancelled();
  }

  function update(data) {
    const said = wording(run);
    if (!sameStage(run, data) || run.status !== "running") left.reset();
    run = advanced(run, data);
    since = performance.now();
    if (run.status === "cancelling") cancellingSince = Math.min(cancellingSince, since);
    if (run.percent !== null && run.status === "running") left.add(run.percent, since);
    milestones(said);
  }

  function outcome() {
    const whole = [];
    const { error, result, files, title, status } = run;
    const address = panel.dataset.address;
    if (error !== null && error !== undefined) {
      const [message, ...rest] = error.trimEnd().split("\n");
      const section = make("section", { class: "failure" }, make("h2", {}, WORDS[status]), make("p", { class: "message" }, message));
      if (rest.length > 0) section.append(make("details", {}, make("summary", {}, "More"), make("pre", { tabindex: "0" }, rest.join("\n"))));
      section.append(make("p", { class: "soft" }, "Run ", make("code", {}, panel.dataset.run), " ",
        copy("Copy", `${title}: ${error}\nRun ${panel.dataset.run}`)));
      whole.push(section);
    }
    const empty = result === null || result === undefined;
    if (!empty) {
      whole.push(make("section", { class: "result" }, make("header", {}, make("h2", {}, "Result"),
        make("a", { href: `${address}/result`, download: true }, "Download")), show("", result, 0)));
    } else if (status === "succeeded" && !files?.length) {
      whole.push(make("section", { class: "result" }, make("h2", {}, "Result"),
        make("p", { class: "soft" }, "It ended without a result to show.")));
    }
    if (files?.length) {
      whole.push(make("section", { class: "files" }, make("h2", {}, "Files"), make("ul", {}, ...files.map((file) =>
        make("li", {}, make("a", { href: `${address}/files/${encodeURIComponent(file.name)}`, download: file.name }, file.name), " ",
          make("span", { class: "soft" }, size(file.size)))))));
    }
    return whole;
  }

  function end(data) {
    const { percent: last } = run;
    run = { ...run, ...data };
    run.percent ??= last ?? null;
    ended = true;
    line.end();
    clearInterval(pulse);
    parts.after.replaceChildren(...(run.finished_at ? ["Ended ", time(run.finished_at, "moment")] : []));
    parts.outcome.replaceChildren(...outcome());
    reveal(parts.cancel, false);
    if (parts.again) parts.again.hidden = false;
    paint();
    say(`${WORDS[run.status]}: ${run.title}${run.error ? `. ${run.error.split("\n")[0].slice(0, 200)}` : ""}`);
  }

  // -- what is heard

  const heardOf = {
    snapshot(data) {
      log.take(data.log, data.attempt !== run.attempt);
      run.percent = null; // a snapshot is the truth, even where it is less than what was shown
      update(data);
      news = performance.now();
      repaint();
    },
    progress(data) {
      update(data);
      news = performance.now();
      repaint();
    },
    log(data) {
      log.add(data);
      news = performance.now();
      repaint();
    },
    end,
  };

  const pulse = setInterval(() => {
    // Once a second: at the pace of repaints the figure would flicker.
    write(parts.left, run.status === "running" && run.percent < 100 ? left.words(performance.now()) : "");
    paintTime();
    offer();
  }, 1000);

  // -- what can be asked of the run

  const asks = new Map([...panel.querySelectorAll("[data-ask]")].map((form) => [form.dataset.ask, form]));
  const resumable = panel.hasAttribute("data-resumable");

  // What goes away takes the focus with it: better to what takes its place, or to the run's title, than to nowhere.
  function reveal(form, shown, instead) {
    if (!form || form.hidden !== shown) return;
    const focused = form.contains(document.activeElement);
    form.hidden = !shown;
    if (focused) (instead?.querySelector("button") ?? parts.title).focus({ preventScroll: true });
  }

  function offer() {
    if (run.title === undefined) return; // nothing is known beyond what the page says already
    const { status, pausing, stalled } = run;
    const paused = status === "paused" || (status === "running" && pausing);
    const failed = ended && status !== "succeeded";
    const pause = !paused && (status === "queued" || (status === "running" && resumable));
    // First what comes, then what goes: the focus needs a place.
    const [from, to] = paused ? ["pause", "resume"] : ["resume", "pause"];
    reveal(asks.get(to), paused || pause);
    reveal(asks.get(from), false, (paused || pause) && asks.get(to));
    reveal(asks.get("force"), stalled && status === "running"
      || status === "cancelling" && performance.now() - cancellingSince >= PATIENCE);
    reveal(asks.get("retry"), failed);
    reveal(asks.get("anew"), failed);
  }

  async function ask(form, words) {
    try {
      const answer = await fetch(form.action, { method: "POST", headers: { accept: "application/json" } });
      if (answer.ok) return "";
      const { detail } = await answer.json().catch(() => ({}));
      return detail ?? `The server refused (${answer.status}).`;
    } catch {
      return `${words} did not reach the server. Try again.`;
    }
  }

  // A retry leads to another run: the browser goes there by itself.
  for (const name of ["pause", "resume", "force"]) {
    const form = asks.get(name);
    let asking = false; // a disabled button would lose the focus
    form?.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (asking) return;
      asking = true;
      trouble = await ask(form, form.textContent.trim());
      asking = false;
      if (trouble) say(trouble);
      paintTime();
    });
  }

  function cancelled() {
    const button = parts.cancel?.querySelector("button");
    if (!button || button.disabled) return;
    // A disabled button loses the focus; it goes to the run's title instead of nowhere.
    if (document.activeElement === button) parts.title.focus({ preventScroll: true });
    button.disabled = true;
    button.textContent = "Cancelling…";
  }

  parts.cancel?.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (cancelling) return;
    cancelling = true;
    trouble = "";
    cancelled();
    paint();
    const words = await ask(parts.cancel, "Cancel");
    if (!words || ended) return;
    cancelling = false;
    trouble = words;
    const button = parts.cancel.querySelector("button");
    button.disabled = false;
    button.textContent = "Cancel";
    paint();
    say(words);
  });

  line = lineTo(panel.dataset.events, heardOf, paintTime);
}

document.querySelectorAll("time[data-zone]").forEach(local);
document.querySelectorAll("[data-copy]").forEach(copyable);
document.querySelectorAll("[data-run][data-events]").forEach(follow);
document.querySelectorAll("[data-bars]").forEach(followAll);
document.querySelectorAll("[data-list]").forEach(grow);
document.addEventListener("change", weigh);
document.querySelectorAll("form[data-confirm]").forEach(askFirst);
document.querySelectorAll("form[data-start]").forEach(startOnce);
