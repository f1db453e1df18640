// The log on a run's page: it follows while its end is in sight, and holds so many lines as a browser bears.

import { make, time } from "./elements.js";
import { t } from "./texts.js";
import { levelWord } from "./words.js";

const NODES = 2000; // lines on the page

export function logOf(panel, part) {
  const box = part("log"), list = box.querySelector("ol"), jump = part("jump");
  let last = Number(panel.dataset.last), waiting = [], following = true, cut = false, first = false, told = 0;
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

  const gap = (missing) => make("li", { class: "gap", "data-omitted": missing }, t("log.omitted", { n: missing }));
  const before = () => Number(list.querySelector("[data-seq]").dataset.seq) - 1;
  // What was in front of the first line that is shown: those that are kept are in the whole log, the others nowhere.
  const earlier = (before, omitted) => {
    const shown = [...list.querySelectorAll("[data-omitted]")].reduce((sum, { dataset }) => sum + Number(dataset.omitted), 0);
    const gone = Math.min(before, Math.max(0, omitted - shown)), kept = before - gone, words = [];
    if (kept) words.push(make("a", { href: `${panel.dataset.address}/log${panel.hasAttribute("data-saves") ? "" : "?q="}` }, t("log.earlier", { n: kept })));
    if (gone) words.push(t("log.omitted", { n: gone }));
    return make("li", { class: "gap", "data-earlier": "" }, ...words.flatMap((word, index) => index ? [" · ", word] : [word]));
  };
  const item = ({ seq, at, level, text }) => make("li", { class: level, "data-seq": seq }, time(at), " ",
    make("span", { dir: "auto" }, ...(levelWord(level) ? [make("b", { dir: document.dir }, levelWord(level)), " "] : []), text));

  return {
    add(line) {
      if (line.seq <= last) return;
      if (line.seq > last + 1) {
        if (last) waiting.push({ missing: line.seq - last - 1 });
        else first = true;
      }
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
      if (isAnother || newest < last || after > last) {
        list.replaceChildren();
        waiting = [];
        last = 0;
        cut = false;
      }
      lines.forEach(this.add);
    },
    paint(omitted) {
      const front = list.querySelector(":scope > [data-earlier]");
      if (front && omitted !== told) front.replaceWith(earlier(before(), omitted));
      told = omitted;
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
      list.append(...waiting.map((line) => line.missing ? gap(line.missing) : item(line)));
      if (cut || first || over > 1) {
        for (const old of list.querySelectorAll(":scope > [data-earlier], :scope > .gap:first-child")) old.remove();
        list.prepend(earlier(before(), omitted));
      }
      waiting = [];
      cut = first = false;
      if (following) toEnd();
      else jump.hidden = false;
    },
  };
}
