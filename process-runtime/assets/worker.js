// The shared worker: the streams of all pages of one browser. A page that sends nothing for a while is dropped.

import { openHub } from "./hub.js";

const GONE = 300_000; // ms without a message from a page, which sends one a minute

function serve() {
  const hub = openHub(), pages = new Set();
  addEventListener("connect", ({ ports: [port] }) => join(port, hub, pages));
  setInterval(() => { for (const page of pages) if (Date.now() - page.heard > GONE) page.leave(); }, 60_000);
}

function join(port, hub, pages) {
  const page = { watched: new Map(), heard: Date.now() };
  page.leave = () => {
    for (const leave of page.watched.values()) leave();
    page.watched.clear();
    pages.delete(page);
  };
  port.onmessage = ({ data: { watch, leave, base, id, wish, hidden, bye } }) => {
    // A page that was dropped has no state here, and subscribes again.
    if (!bye && !pages.has(page)) return port.postMessage({ again: true });
    page.heard = Date.now();
    page.isHidden = hidden;
    if (bye) return page.leave();
    if (watch) page.watched.set(watch, hub.watch(base, id, wish, (...heard) => port.postMessage({ watch, heard }), () => !page.isHidden));
    if (leave) {
      page.watched.get(leave)?.();
      page.watched.delete(leave);
    }
  };
  pages.add(page);
  port.postMessage({ hello: true });
}

// A page without a shared worker loads the same file, and opens its own hub.
if (typeof SharedWorkerGlobalScope !== "undefined") serve();
