// Owns what our own pages do when they are there: it finds their parts and hands them to those who know them.
// Refuses to know any of it.

import { copyable } from "./copy.js";
import "./element.js";
import { askFirst, grow, startOnce, weigh } from "./form.js";
import { followAll, searchIn } from "./list.js";
import { follow } from "./panel.js";
import { local } from "./texts.js";

const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

each("time[data-zone]", local);
each("[data-copy]", copyable);
each("[data-run]", follow);
each("[data-rows]", followAll);
each("form[data-search]", searchIn);
each("[data-list]", grow);
document.addEventListener("change", weigh);
each("form[data-confirm]", askFirst);
each("form[data-start]", startOnce);
