// The additional script of pages with lists and forms: the index, the history, and the page of a process.

import { grow } from "./form.js";
import { followAll, searchIn } from "./list.js";
import { each } from "./page.js";
import { keepRows } from "./rows.js";
import { TEXTS } from "./texts.js";

Object.assign(TEXTS, { own: "texts" });
each("[data-rows]", followAll);
each("table[data-runs]", keepRows);
each("form[data-search]", searchIn);
each("form[data-start]", function prepare(form) {
  let ready;
  // Most who open the page do not use the form.
  const load = () => ready ??= import("./send.js").then(({ sendByScript }) => sendByScript(form, prepare));
  form.querySelectorAll("[data-list]").forEach(grow);
  // The server checks everything, in its words.
  form.setAttribute("novalidate", "");
  form.addEventListener("focusin", load, { once: true });
  // A file can be dropped without any focus.
  if (form.querySelector(".wrong")) load();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    load().then((send) => send(), () => HTMLFormElement.prototype.submit.call(form));
  });
});
