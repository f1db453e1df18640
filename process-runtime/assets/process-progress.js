// Owns what a page of somebody's own loads for `<process-progress>`. Refuses to know how it is done;
// process-progress.d.ts says what it offers.

export { connect, Connection } from "./connect.js";
export { ProcessProgress } from "./element.js";
export { start } from "./start.js";
