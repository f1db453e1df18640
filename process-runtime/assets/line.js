// The entry for the shared worker and for pages without one: the hub, and the worker around it.

import "./worker.js";

export { openHub } from "./hub.js";
