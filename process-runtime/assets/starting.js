// The additional script of pages from which runs are started: the index, and the form of a process.

import { askFirst, grow, startOnce, weigh } from "./form.js";
import { followAll, searchIn } from "./list.js";
import { each } from "./page.js";

each("[data-rows]", followAll);
each("form[data-search]", searchIn);
each("[data-list]", grow);
document.addEventListener("change", weigh);
each("form[data-confirm]", askFirst);
each("form[data-start]", startOnce);
