// Every end of a run has a clear text on its page.

import assert from "node:assert/strict";

import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

async function ended({ use, open }, route, status) {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}${route}/show_progress`);
  const id = await viewer.start();
  await viewer.status(status);
  const outcome = viewer.part("outcome").filter({ hasText: /\S/ });
  return { program, viewer, id, outcome: await outcome.innerText() };
}

promise("a panic message stays on the server", async (means) => {
  const { viewer, id, outcome } = await ended(means, "panics", "Failed");
  assert.match(outcome, /^Failed\n+the process panicked\n/);
  assert.ok(outcome.includes(id));
  await viewer.logged(["before"]);
  assert.ok(!(await viewer.page.content()).includes("secret"));
});

promise("an error shows its message and run ID", async (means) => {
  const { viewer, id, outcome } = await ended(means, "fails", "Failed");
  assert.match(outcome, /^Failed\n+the disk is <b>full<\/b>\n/);
  assert.ok(outcome.includes(id));
  assert.equal(await viewer.page.title(), "Failed · Failing");
});

promise("end_process ends the run as succeeded", async (means) => {
  const { viewer } = await ended(means, "ends-early", "Succeeded");
  assert.deepEqual(await viewer.result(), { Message: "enough", Total: "40" });
  await viewer.logged(["cleaned up"]);
  assert.equal(await viewer.part("percent").textContent(), "100 %");
});

promise("a process without result shows No result", async (means) => {
  const { viewer, outcome } = await ended(means, "says-nothing", "Succeeded");
  assert.match(outcome, /No result\./);
  assert.ok(await viewer.page.getByText("No log lines.").isVisible());
});
