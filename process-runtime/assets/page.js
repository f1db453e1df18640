// What every page of ours does when it is there: it finds its parts and hands them to those who know them.

import { copyable } from "./copy.js";
import "./element.js";
import { follow } from "./panel.js";
import { local } from "./texts.js";

export const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

each("time[data-zone]", local);
each("[data-copy]", copyable);
each("[data-run]", follow);
