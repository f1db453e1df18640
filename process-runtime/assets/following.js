// The additional script of pages with the panel of a run.

import { each } from "./page.js";
import { follow } from "./panel.js";

each("[data-run]", follow);
