// The log on a run's page: it follows while its end is visible, and limits the number of lines.

import { make, time } from "./elements.js";
import { t } from "./texts.js";
import { levelWord } from "./words.js";

const NODES = 2000; // lines on the page

// The parts that a tool wrote in colour are counted in characters, not in UTF-16 units.
function coloured(text, styles) {
  if (!styles) return [text];
  const chars = [...text], parts = [];
  let at = 0;
  const take = (until, name) => {
    const part = chars.slice(at, until).join("");
    if (part) parts.push(name ? make("span", { class: name }, part) : part);
    at = Math.max(at, until);
  };
  for (const [start, length, name] of styles) {
    take(start);
    take(start + length, name);
  }
  take(chars.length);
  return parts;
}

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
  // The lines before the first one shown: kept lines are in the whole log, omitted ones nowhere.
  const earlier = (before, omitted) => {
    const shown = [...list.querySelectorAll("[data-omitted]")].reduce((sum, { dataset }) => sum + Number(dataset.omitted), 0);
    const gone = Math.min(before, Math.max(0, omitted - shown)), kept = before - gone, words = [];
    if (kept) words.push(make("a", { href: `${panel.dataset.address}/log${panel.hasAttribute("data-saves") ? "" : "?q="}` }, t("log.earlier", { n: kept })));
    if (gone) words.push(t("log.omitted", { n: gone }));
    return make("li", { class: "gap", "data-earlier": "" }, ...words.flatMap((word, index) => index ? [" · ", word] : [word]));
  };
  const item = ({ seq, at, level, text, styles }) => make("li", { class: level, "data-seq": seq }, time(at), " ",
    ...(levelWord(level) ? [make("b", {}, levelWord(level)), " "] : []), make("span", { dir: "auto" }, ...coloured(text, styles)));

  return {
    add(line) {
      if (line.seq <= last) return;
      if (line.seq > last + 1) {
        if (last) waiting.push({ missing: line.seq - last - 1 });
        else first = true;
      }
      last = line.seq;
      waiting.push(line);
      // Lines that would be removed again before they are painted are skipped.
      if (waiting.length > 2 * NODES) {
        waiting = waiting.slice(-NODES);
        cut = true;
      }
    },
    // The lines of a snapshot continue the shown ones, or replace them: a crash may have lost lines that are shown, and
    // the next attempt may have others with their numbers.
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
      // One node is for the link to the removed lines.
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
