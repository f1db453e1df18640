// Renders any JSON value as text, key–value list, table or link. The server's values.rs renders the same elements;
// change both together.

import { make } from "./elements.js";
import { duration, number, t } from "./texts.js";

const ROWS = 1000; // longer lists end with the number of the remaining entries, which the download contains
const DEEPEST = 12;
const LONG = 600; // characters: a longer text is folded

const labelOf = (key) => {
  const words = key.replaceAll("_", " ").trim();
  return words ? words[0].toUpperCase() + words.slice(1) : t("value.no_name");
};
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const soft = (text) => make("span", { class: "soft" }, text);

// Long numbers are grouped, except ids, which people copy.
function figure(key, value) {
  const plain = String(value);
  const digits = plain.split(".")[0].replace("-", "");
  return /id$/i.test(key) || digits.length < 5 || plain.includes("e") ? plain : number(value);
}

function wordsIn(value) {
  if (!/^https?:\/\/\S+$/.test(value)) return make("span", { class: "plain", dir: "auto" }, value);
  return make("a", { href: value, rel: "noopener noreferrer nofollow", dir: "auto" }, value);
}

// A duration as serde writes `std::time::Duration`, in milliseconds.
function spanIn(value) {
  if (Object.keys(value).join() !== "secs,nanos") return null;
  const { secs, nanos } = value;
  return Number.isSafeInteger(secs) && secs >= 0 && Number.isSafeInteger(nanos) ? secs * 1000 + nanos / 1e6 : null;
}

function show(key, value, depth) {
  if (value === null) return soft(t("value.none"));
  if (typeof value === "boolean") return t(value ? "value.yes" : "value.no");
  if (typeof value === "number" || typeof value === "bigint") return figure(key, value);
  if (value === "") return soft(t("value.empty"));
  if (typeof value === "string") {
    return value.length <= LONG ? wordsIn(value)
      : make("details", {}, make("summary", { dir: "auto" }, `${[...value.slice(0, 200)].slice(0, 80).join("")}…`), wordsIn(value));
  }
  const span = spanIn(value);
  if (span !== null) return duration(span, true);
  const list = Array.isArray(value);
  const n = list ? value.length : Object.keys(value).length;
  if (n === 0) return soft(t("value.none"));
  if (depth >= DEEPEST) return make("code", { dir: "ltr" }, JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? String(inner) : inner));
  const body = list ? entries(value, depth) : fields(value, depth);
  if (list ? depth < 1 || (depth === 1 && n <= 20) : depth === 0) return body;
  return make("details", {}, make("summary", {}, list ? t("value.entries", { n }) : t("value.fields", { n })), body);
}

function fields(object, depth) {
  const rows = Object.entries(object).map(([key, value]) =>
    make("div", {}, make("dt", { dir: "auto" }, labelOf(key)), make("dd", {}, show(key, value, depth + 1))));
  return make("dl", { class: "fields" }, ...rows);
}

function entries(items, depth) {
  const some = items.slice(0, ROWS);
  const body = some.every(isObject) ? table(some, depth)
    : make("ul", { class: "values" }, ...some.map((item) => make("li", {}, show("", item, depth + 1))));
  const all = make("div", {}, body), left = items.length - some.length;
  if (left > 0) all.append(make("p", { class: "soft" }, t("value.more", { n: left })));
  return all;
}

function table(rows, depth) {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const head = columns.map((key) => make("th", { scope: "col", dir: "auto" }, labelOf(key)));
  const body = rows.map((row) => make("tr", {}, ...columns.map((key) =>
    make("td", {}, ...(Object.hasOwn(row, key) ? [show(key, row[key], depth + 2)] : [])))));
  return make("div", { class: "scroll", role: "region", "aria-label": t("value.table"), tabindex: "0" },
    make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body)));
}

/** A value with everything in it. */
export const shown = (value) => show("", value, 0);
