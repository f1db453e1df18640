// What the pages do besides from which runs are started: the list of all processes, and the form of one. It is a
// script of its own, beside that of every page.

import { askFirst, grow, startOnce, weigh } from "./form.js";
import { followAll, searchIn } from "./list.js";
import { each } from "./page.js";

each("[data-rows]", followAll);
each("form[data-search]", searchIn);
each("[data-list]", grow);
document.addEventListener("change", weigh);
each("form[data-confirm]", askFirst);
each("form[data-start]", startOnce);
