// What a page of somebody's own loads for `<process-progress>`. process-progress.d.ts says what it offers.

export { connect, Connection } from "./connect.js";
export { ProcessProgress } from "./element.js";
export { start } from "./start.js";
