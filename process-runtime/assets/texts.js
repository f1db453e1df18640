// The texts: the server inserts those of one language that the scripts use. Numbers and dates are formatted by the
// browser.

/* The server writes the catalog of one language in this place. */
export const TEXTS = { language: "en" };

const language = TEXTS.language, plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 20, numberingSystem: "latn" });
const withTenth = new Intl.NumberFormat(language, { minimumFractionDigits: 1, numberingSystem: "latn" });
const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", numberingSystem: "latn" });
const clocks = new Intl.DateTimeFormat(language,
  { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", numberingSystem: "latn" });

export const number = (value) => numbers.format(value);

// Data keeps its own direction inside a text. The server's direction.rs does the same; change both together.
const RTL = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc";
const mixes = new RegExp(TEXTS["direction"] === "rtl" ? `[^ \\xa0\\d.,:%\\u200e\\u200f\\u2068\\u2069\0${RTL}]` : `[${RTL}]`);
export const isolated = (data) => (mixes.test(data) ? `\u2068${data}\u2069` : data);

/** A text of the catalog; `n` selects the plural form. */
export function t(key, values = {}) {
  let text = TEXTS[key] ?? key;
  if (typeof text === "object") text = text[plurals.select(Number(values.n))] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (hole, name) => {
    const value = values[name] ?? hole;
    return typeof value === "string" ? isolated(value) : number(value);
  });
}

export function duration(ms, withTenths = false) {
  const all = Math.floor(ms / 1000), tenths = withTenths && all < 10;
  const seconds = all % 60, minutes = Math.floor(all / 60) % 60, hours = Math.floor(all / 3600);
  if (hours > 0) return joined("duration.hours", hours, "duration.minutes", minutes);
  if (minutes > 0) return joined("duration.minutes", minutes, "duration.seconds", seconds);
  return t("duration.seconds", { n: tenths ? withTenth.format(Math.floor(ms / 100) / 10) : seconds });
}

function joined(larger, n, smaller, rest) {
  const first = t(larger, { n });
  return rest ? t("duration.and", { first, second: t(smaller, { n: rest }) }) : first;
}

/** A text with an element for a placeholder. */
export function around(key, name, node) {
  const [before, after] = t(key, { [name]: "\0" }).split("\0");
  return [before, node, after ?? ""];
}

/** The time of day so many milliseconds ago. */
export const clock = (ms) => clocks.format(Date.now() - ms);

// The server writes UTC; the page shows local time.
export function local(node) {
  const at = new Date(node.dateTime);
  if (!Number.isNaN(at.getTime())) node.textContent = (node.className === "moment" ? moments : clocks).format(at);
  return node;
}
