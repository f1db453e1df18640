// Looks again and again at a list on the server, for what is not in the streams of its runs, such as runs that begin.

import { request } from "./request.js";
import { clock, t } from "./texts.js";

const LOOK = 5_000; // ms between two looks, and
const RARE = 30_000; // for a person who is signed out
const SOON = 150; // ms after the end of a run, so that several that end together cost one look

// The active runs beside the one that is shown.
export function beside({ running, paused, queued }, { status }) {
  const less = (count, ...statuses) => count - (statuses.includes(status) ? 1 : 0);
  const counts = { "index.running": less(running, "running", "cancelling"), "index.paused": less(paused, "paused"), "index.queued": less(queued, "queued") };
  return Object.entries(counts).filter(([, n]) => n > 0).map(([key, n]) => t(key, { n })).join(" · ");
}

/**
 * Calls `show` with the JSON at this address, and `note` with what keeps it from that: a text, or null if the person must
 * sign in again. Returns how to look at once.
 */
export function keepLooking(address, note, show) {
  let timer = 0, isLooking = false, isOld = false, isOut = false, shown = performance.now();
  const isVisible = () => document.visibilityState === "visible";

  async function look() {
    clearTimeout(timer);
    timer = setTimeout(look, LOOK);
    // What is being read may be from before the end that this look is for.
    isOld = isLooking;
    if (!isVisible() || isLooking) return;
    isLooking = true;
    const answer = await request(address).catch(() => ({}));
    const { isOurs, ok, status } = answer;
    const told = isOurs && ok ? await answer.json().catch(() => null) : null;
    isLooking = false;
    isOut = answer.isOut;
    if (isOut) {
      clearTimeout(timer);
      timer = setTimeout(look, RARE);
    }
    if (told) shown = performance.now();
    const isRefused = isOurs && status >= 400 && status < 500 && status !== 429;
    note(told ? "" : isOut ? null : isRefused ? t("note.refused", { status: String(status) })
      : t("note.lost", { time: clock(performance.now() - shown) }));
    if (told) show(told);
    if (isOld) look();
  }

  // The person may have signed in again in another window.
  const back = () => { if (isOut && isVisible()) look(); };
  document.addEventListener("visibilitychange", back);
  addEventListener("focus", back);
  timer = setTimeout(look, LOOK);
  return () => {
    clearTimeout(timer);
    timer = setTimeout(look, SOON);
  };
}
