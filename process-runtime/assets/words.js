// Owns what people read: states, figures, durations, the time left, and any JSON value as elements. The words
// and elements are those of the server's pages (words.rs and values.rs); the two change together.
// Refuses to know where the values come from and where on the page they go.

const WORDS = {
  queued: "Queued", running: "Running", paused: "Paused", cancelling: "Cancelling…",
  succeeded: "Succeeded", failed: "Failed", cancelled: "Cancelled", interrupted: "Interrupted",
};
const wording = ({ status, pausing, stalled, due_at }) =>
  status === "running" && pausing ? "Pausing…" : status === "running" && stalled ? "Stalled"
    : status === "queued" && due_at ? "Waiting to try again" : WORDS[status];
const toned = ({ status, pausing, stalled }) =>
  status === "running" && pausing ? "paused" : status === "running" && stalled ? "stalled" : status;
const took = (status) => ENDED.has(status) ? "Took" : status === "paused" || status === "queued" ? "Has run for" : "Running for";
// How full the bar is, null when nobody knows, and the same in words. Never full before the run has succeeded.
const fullness = ({ status, percent }) =>
  status === "succeeded" ? 100 : percent === null || ENDED.has(status) ? percent : Math.min(percent, 99);
const percentage = ({ status, percent }) =>
  status === "succeeded" ? "100 %" : status === "queued" ? "Waiting…"
    : percent === null ? (status === "running" ? "Working…" : "—")
      : percent >= 100 && !ENDED.has(status) ? "Finishing…" : `${Math.floor(percent)} %`;
const steps = ({ current, total }) =>
  current === null ? "" : total === null ? `${grouped(current)} so far` : `${grouped(current)} of ${grouped(total)}`;
const LEVELS = { debug: "Debug", warn: "Warning", error: "Error" };
const ENDED = new Set(["succeeded", "failed", "cancelled", "interrupted"]);

// ---- words and elements, as the server writes them

function make(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

function grouped(number) {
  const [whole, ...fraction] = String(number).split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...fraction].join(".");
}

const counted = (number, one, many = `${one}s`) => `${grouped(number)} ${number === 1 ? one : many}`;
const two = (number) => String(number).padStart(2, "0");

function duration(ms, ended) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 10 && ended) return `${seconds}.${Math.floor((ms % 1000) / 100)} s`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${grouped(Math.floor(seconds / 3600))} h ${two(Math.floor(seconds / 60) % 60)} min`;
}

function size(bytes) {
  if (bytes < 1000) return counted(bytes, "byte");
  const units = ["kB", "MB", "GB", "TB", "PB", "EB"];
  let amount = bytes / 1000;
  while (amount >= 999.95 && units.length > 1) {
    amount /= 1000;
    units.shift();
  }
  return `${amount.toFixed(1)} ${units[0]}`;
}

// The server writes UTC; the viewer reads their own time, in the same form.
function local(node) {
  const at = new Date(node.dateTime);
  if (Number.isNaN(at.getTime())) return node;
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  node.textContent = node.classList.contains("moment") ? `${day} ${clock}` : clock;
  return node;
}

const time = (at, name) => local(make("time", { datetime: at, class: name }));

// ---- any JSON value, with all that is in it

const label = (key) => {
  const words = key.replaceAll("_", " ").trim();
  return words ? words[0].toUpperCase() + words.slice(1) : "(no name)";
};
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const soft = (text) => make("span", { class: "soft" }, text);

function figure(key, number) {
  const plain = String(number);
  const whole = plain.split(".")[0].replace("-", "");
  return /id$/i.test(key) || whole.length < 5 || plain.includes("e") ? plain : grouped(plain);
}

function show(key, value, depth) {
  if (value === null) return soft("none");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" || typeof value === "bigint") return figure(key, value);
  if (value === "") return soft("empty");
  if (typeof value === "string") {
    if (!/^https?:\/\/\S+$/.test(value)) return make("span", { class: "plain" }, value);
    return make("a", { href: value, rel: "noopener noreferrer nofollow" }, value);
  }
  const list = Array.isArray(value);
  const length = list ? value.length : Object.keys(value).length;
  if (length === 0) return soft("none");
  if (depth >= 12) return make("code", {}, JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? String(inner) : inner));
  const body = list ? entries(value, depth) : fields(value, depth);
  if (list ? depth < 1 || (depth === 1 && length <= 20) : depth === 0) return body;
  const words = list ? counted(length, "entry", "entries") : counted(length, "field");
  return make("details", {}, make("summary", {}, words), body);
}

function fields(object, depth) {
  const rows = Object.entries(object).map(([key, value]) =>
    make("div", {}, make("dt", {}, label(key)), make("dd", {}, show(key, value, depth + 1))));
  return make("dl", { class: "fields" }, ...rows);
}

function entries(items, depth) {
  const shown = items.slice(0, 1000);
  const body = shown.every(isObject) ? table(shown, depth)
    : make("ul", { class: "values" }, ...shown.map((item) => make("li", {}, show("", item, depth + 1))));
  const all = make("div", {}, body);
  const left = items.length - shown.length;
  if (left > 0) all.append(make("p", { class: "soft" }, `${counted(left, "more entry", "more entries")} in the download`));
  return all;
}

function table(rows, depth) {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const head = columns.map((key) => make("th", { scope: "col" }, label(key)));
  const body = rows.map((row) => make("tr", {}, ...columns.map((key) =>
    make("td", {}, ...(Object.hasOwn(row, key) ? [show(key, row[key], depth + 2)] : [])))));
  return make("div", { class: "scroll", role: "region", "aria-label": "Table", tabindex: "0" },
    make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body)));
}

// ---- time left: a rate smoothed twice over 15 seconds, so that neither a burst nor a pause upsets it

function estimator() {
  let seen = 0, first = 0, last = 0, at = 0, once = 0, twice = 0;
  const weight = (seconds) => 0.1 ** (seconds / 15);
  return {
    reset() { seen = 0; },
    add(percent, now) {
      if (seen === 0) {
        first = last = now;
        once = twice = 0;
      } else if (percent > at && now > last) {
        const keep = weight((now - last) / 1000);
        once = once * keep + ((percent - at) / ((now - last) / 1000)) * (1 - keep);
        twice = twice * keep + (once / (1 - weight((now - first) / 1000))) * (1 - keep);
        last = now;
      } else {
        return;
      }
      at = percent;
      seen += 1;
    },
    words(now) {
      if (seen < 4 || now - first < 3000) return "";
      // While nothing moves a figure would only climb.
      if (now - last > 5000 + (3 * (last - first)) / seen) return "no estimate while it stands still";
      const rate = twice / (1 - weight((last - first) / 1000));
      const seconds = (100 - at) / rate - (now - last) / 1000;
      if (!(seconds < 86_400)) return "more than a day left";
      if (seconds < 10) return "a few seconds left";
      if (seconds < 55) return `about ${Math.ceil(seconds / 10) * 10} s left`;
      if (seconds < 5400) return `about ${Math.round(seconds / 60) || 1} min left`;
      return `about ${Math.round(seconds / 3600)} h left`;
    },
  };
}
