// What both the shared worker and a page without one load: the hub, and the worker around it.

import "./worker.js";

export { openHub } from "./hub.js";
