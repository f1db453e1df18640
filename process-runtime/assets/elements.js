// Builds elements by name, attributes and children, never from markup.

import { local, t } from "./texts.js";

export function make(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Writes a text, or a link if the person must sign in again (null): a reload leads to the login page, and back. */
export function write(node, text) {
  if (text !== null) {
    if (node.textContent !== text) node.textContent = text;
  } else if (!node.firstElementChild) node.replaceChildren(make("a", { href: location.pathname + location.search }, t("note.sign_in")));
}

export const time = (at, name) => local(make("time", { datetime: at, class: name, dir: "auto" }));

const REPAINT = 100; // ms: at most ten repaints a second, and fewer if they are slow

// Repaints immediately if there was no recent repaint: timers are throttled in background tabs, events are not.
export function paced(paint) {
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

const SPEAK = 5_000; // ms between two announcements

// Announcements for screen readers, rarely, and only the latest.
export function speaker(part) {
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
