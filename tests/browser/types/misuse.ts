// What the types have to refuse. Each line is an error, and that it is none is an error too.

import { connect, start } from "/assets/client.js";
import type { Run, RunStatus } from "/assets/client.js";

const element = document.createElement("process-progress");
const connection = connect("/runs/x");

// @ts-expect-error the run is what the server says
element.run = null;
// @ts-expect-error an address is text
element.src = 5;
// @ts-expect-error there is no such option
connect("/runs/x", { logs: true });
// @ts-expect-error an address is needed
connect();
// @ts-expect-error there is no such event, and so it has no detail
connection.addEventListener("progres", ({ detail }) => detail);
// @ts-expect-error a line has no percent
connection.addEventListener("log", ({ detail }) => detail.percent);
// @ts-expect-error nobody may know how far it is
element.addEventListener("process-progress", ({ detail }) => detail.percent.toFixed(1));
// @ts-expect-error there may be no run
connection.run.status;
// @ts-expect-error it is a promise
start("/count").run;
// @ts-expect-error there is no such state
const status: RunStatus = "done";
// @ts-expect-error counts may be text
const total = (run: Run): number => run.total ?? 0;
// @ts-expect-error force says whether
void connection.cancel({ force: "yes" });
export { status, total };
