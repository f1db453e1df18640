// The additional script of pages with the panel of a run.

import { each } from "./page.js";
import { follow } from "./panel.js";
import { TEXTS } from "./texts.js";

Object.assign(TEXTS, { own: "texts" });
each("[data-run]", follow);
