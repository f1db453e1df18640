// The entry for pages that use `<process-progress>`. process-progress.d.ts documents it.

export { connect, Connection } from "./connect.js";
export { ProcessProgress } from "./element.js";
export { start } from "./start.js";
