// The entry of every page: finds its parts and starts the modules for them. Pages with lists and forms
// have another script beside it.

import { copyable } from "./copy.js";
import "./element.js";
import { follow } from "./panel.js";
import { local } from "./texts.js";

export const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

each("time[data-zone]", local);
each("[data-copy]", copyable);
each("[data-run]", follow);
