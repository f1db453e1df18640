// Owns what both the shared worker and a page without one load: the hub, and the worker around it. Refuses to know
// which of them it is in.

import "./worker.js";

export { openHub } from "./hub.js";
