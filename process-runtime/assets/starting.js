// The additional script of pages with lists and forms: the index, the history, and the page of a process.

import { askFirst, grow, startOnce, weigh } from "./form.js";
import { followAll, searchIn } from "./list.js";
import { each } from "./page.js";
import { keepRows } from "./rows.js";
import { TEXTS } from "./texts.js";

Object.assign(TEXTS, { own: "texts" });
each("[data-rows]", followAll);
each("table[data-runs]", keepRows);
each("form[data-search]", searchIn);
each("[data-list]", grow);
document.addEventListener("change", weigh);
each("form[data-confirm]", askFirst);
each("form[data-start]", startOnce);
