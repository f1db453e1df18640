// Without JavaScript: pages are complete, though not live, and every button works.

import assert from "node:assert/strict";

import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const plain = { javaScriptEnabled: false };

promise("forms and pages work without JavaScript", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const viewer = await open(`${program.url}count/show_progress`, plain);
  await viewer.page.getByLabel("Total").fill("60");
  const id = await viewer.start();
  await program.until(id, ({ current }) => current >= 20);
  await viewer.page.reload();
  await viewer.status("Running");
  assert.ok(await viewer.page.locator("progress").getAttribute("value") >= 33);
  assert.match(await viewer.part("percent").textContent(), /^\d\d %$/);
  const lines = await viewer.texts();
  assert.ok(lines.length >= 20 && lines[0] === "line 1", lines.join());
  assert.match(await viewer.page.locator("noscript").textContent(), /Reload/);
  await program.release("count");
  await program.until(id, ({ status }) => status === "succeeded");
  await viewer.page.getByRole("link", { name: "Reload" }).click();
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.result(), { Message: "Counted", Total: "60" });
  assert.equal(await viewer.page.locator("progress").getAttribute("value"), "100.00");
  assert.equal(viewer.requests.filter(({ type }) => type === "eventsource").length, 0);
});

promise("cancel works without JavaScript", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}wait/show_progress`, plain);
  const id = await viewer.start();
  await program.until(id, ({ status }) => status === "running");
  await viewer.page.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await viewer.atRun(), id);
  await program.until(id, ({ status }) => status === "cancelled");
  await viewer.page.reload();
  await viewer.status("Cancelled");
  assert.equal(await viewer.page.getByRole("button", { name: "Cancel" }).count(), 0);
});

promise("without JavaScript a repeated form starts one run", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}count/show_progress`, plain);
  // An impatient person's first request may have arrived before the second replaces it.
  let twice = 0;
  await viewer.page.route("**/count/start", async (route) => {
    twice = (await route.fetch({ maxRedirects: 0 })).status();
    await route.continue();
  });
  const id = await viewer.start();
  assert.equal(twice, 303);
  const { runs } = await program.json("/runs");
  assert.deepEqual(runs.map((run) => run.id), [id]);
});
