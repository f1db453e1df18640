// The lines of all pages of one browser: it is the shared worker that they speak with. A page that has gone without a
// word is forgotten after a while.

import { openHub } from "./hub.js";

const GONE = 300_000; // ms without a word from a page, which says one a minute

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
  port.onmessage = ({ data: { watch, leave, base, id, wish, bye } }) => {
    // A page that was taken for gone has nothing here any more: it asks for all of it again.
    if (!bye && !pages.has(page)) return port.postMessage({ again: true });
    page.heard = Date.now();
    if (bye) return page.leave();
    if (watch) page.watched.set(watch, hub.watch(base, id, wish, (...heard) => port.postMessage({ watch, heard })));
    if (leave) {
      page.watched.get(leave)?.();
      page.watched.delete(leave);
    }
  };
  pages.add(page);
  port.postMessage({ hello: true });
}

// A page that has to do without a shared worker loads the same file, and opens a hub of its own.
if (typeof SharedWorkerGlobalScope !== "undefined") serve();
