// What a page of somebody's own may import to follow runs, without any element. client.d.ts says what it offers.

export { connect, Connection } from "./connect.js";
export { start } from "./start.js";
