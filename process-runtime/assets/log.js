// Owns the log on a run's page: it follows while its end is in sight, and holds so many lines as a browser bears.
// Refuses to know how lines arrive.

import { make, time } from "./elements.js";
import { t } from "./texts.js";
import { levelWord } from "./words.js";

const NODES = 2000; // lines on the page

export function logOf(panel, part) {
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
  const whole = (words) => gap(make("a", { href: `${panel.dataset.address}/log${panel.hasAttribute("data-saves") ? "" : "?q="}` }, words));
  const item = ({ seq, at, level, text }) => make("li", { class: level, "data-seq": seq }, time(at), " ",
    make("span", { dir: "auto" }, ...(levelWord(level) ? [make("b", { dir: document.dir }, levelWord(level)), " "] : []), text));

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
        return line.first ? whole(t("log.earlier", { n: line.missing })) : gap(t("log.omitted", { n: line.missing }));
      }));
      if (cut || over > 1) {
        const before = Number(list.querySelector("[data-seq]").dataset.seq) - 1;
        list.querySelector(":scope > .gap:first-child")?.remove();
        list.prepend(whole(t("log.earlier", { n: before })));
      }
      waiting = [];
      cut = false;
      if (following) toEnd();
      else jump.hidden = false;
    },
  };
}
