// The entry for pages that follow runs without an element. client.d.ts documents it.

export { connect, Connection } from "./connect.js";
export { start } from "./start.js";
