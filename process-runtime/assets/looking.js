// Looks again and again at a list on the server, for what is not in the streams of its runs, such as runs that begin.

import { t } from "./texts.js";

const LOOK = 5_000; // ms between two looks
const SOON = 150; // ms after the end of a run, so that several that end together cost one look

// The active runs beside the one that is shown.
export function beside({ running, paused, queued }, { status }) {
  const less = (count, ...statuses) => count - (statuses.includes(status) ? 1 : 0);
  const counts = { "index.running": less(running, "running", "cancelling"), "index.paused": less(paused, "paused"), "index.queued": less(queued, "queued") };
  return Object.entries(counts).filter(([, n]) => n > 0).map(([key, n]) => t(key, { n })).join(" · ");
}

/** Calls `show` with the JSON at this address, and `note` with what keeps it from that. Returns how to look at once. */
export function keepLooking(address, note, show) {
  let timer = 0, isLooking = false, isOld = false;

  async function look() {
    clearTimeout(timer);
    timer = setTimeout(look, LOOK);
    // What is being read may be from before the end that this look is for.
    isOld = isLooking;
    if (document.visibilityState !== "visible" || isLooking) return;
    isLooking = true;
    const answer = await fetch(address, { headers: { accept: "application/json" } }).catch(() => null);
    isLooking = false;
    // A retry is of no use, and a sign-in loads another page.
    if (answer?.status === 401) {
      clearTimeout(timer);
      return note(t("note.sign_in"));
    }
    note(answer?.ok ? "" : t("note.reconnecting"));
    const told = answer?.ok ? await answer.json().catch(() => null) : null;
    if (told) show(told);
    if (isOld) look();
  }

  timer = setTimeout(look, LOOK);
  return () => {
    clearTimeout(timer);
    timer = setTimeout(look, SOON);
  };
}
