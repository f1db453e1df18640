// Lists of runs on open pages: what runs is shown before what waits, rows are live, and new runs appear.

import assert from "node:assert/strict";

import { examine } from "./axe.mjs";
import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const rowOf = ({ page }, id) => page.locator(`.runs tr[data-id="${id}"]`);
const ask = { method: "POST", headers: { accept: "application/json" } };

promise("the index shows the running run and counts others", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("count", { total: 100_000, pause: 20 });
  await program.until(id, ({ status }) => status === "running");
  for (let count = 0; count < 2; count += 1) await program.run("count", { total: 1, pause: 0 });
  const viewer = await open(program.url);
  const row = viewer.page.locator(".cards li").filter({ has: viewer.page.getByRole("link", { name: "Counting", exact: true }) });
  await row.locator(".status").filter({ hasText: /^Running$/ }).waitFor();
  const others = row.locator('[data-part="beside"]');
  assert.equal(await others.textContent(), "2 queued");
  await program.run("count", { total: 1, pause: 0 });
  await others.filter({ hasText: "3 queued" }).waitFor({ timeout: 8_000 });
  // The others run when this one has ended, and the last of them is shown.
  await program.json(`/runs/${id}/cancel`, ask);
  await row.locator(".status").filter({ hasText: /^Succeeded$/ }).waitFor({ timeout: 15_000 });
  await others.filter({ hasText: /^$/ }).waitFor({ state: "attached", timeout: 8_000 });
  await row.getByRole("link", { name: "All runs" }).click();
  await viewer.page.waitForURL("**/runs?process=count");
  assert.equal(await viewer.page.locator(".runs tbody tr").count(), 4);
});

promise("the process page adds and updates rows", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("count", { total: 100_000, pause: 20 });
  await program.until(id, ({ percent }) => percent > 0);
  const viewer = await open(`${program.url}count/show_progress`);
  const row = rowOf(viewer, id), bar = await row.locator("progress").elementHandle();
  const before = await bar.evaluate((one) => one.value);
  await viewer.page.waitForFunction(([one, value]) => one.value > value, [bar, before]);
  const second = await program.run("count", { total: 1, pause: 0 });
  await rowOf(viewer, second.id).locator(".status").filter({ hasText: /^Queued$/ }).waitFor({ timeout: 8_000 });
  await viewer.part("beside").filter({ hasText: "1 queued" }).waitFor();
  await program.json(`/runs/${id}/cancel`, ask);
  await row.locator(".status").filter({ hasText: /^Cancelled$/ }).waitFor({ timeout: 8_000 });
  await rowOf(viewer, second.id).locator(".status").filter({ hasText: /^Succeeded$/ }).waitFor({ timeout: 8_000 });
  // What has ended has no bar any more.
  await viewer.page.waitForFunction(() => !document.querySelector(".runs process-progress"));
  assert.match(await rowOf(viewer, second.id).innerText(), /#2 Counting[^]*Total 1 · Pause 0/);
  // The script renders as the server does.
  const rendered = () => viewer.page.locator(".runs tbody tr").evaluateAll((rows) => rows.map((one) => one.innerText.replace(/\s+/g, " ")));
  const live = await rendered();
  await viewer.page.reload();
  assert.deepEqual(await rendered(), live);
});

promise("the history adds rows and updates counts", async ({ use, open }) => {
  const program = await use(fixtures());
  const failed = await program.run("fails");
  await program.until(failed.id, ({ status }) => status === "failed");
  const viewer = await open(`${program.url}runs`);
  const chip = (name) => viewer.page.locator(`.chip[data-count="${name}"]`);
  assert.equal(await chip("failed").innerText(), "Failed 1");
  assert.ok(await chip("succeeded").isHidden());
  assert.match(await rowOf(viewer, failed.id).innerText(), /the disk is <b>full<\/b>/);
  const done = await program.run("says-nothing");
  await rowOf(viewer, done.id).locator(".status").filter({ hasText: /^Succeeded$/ }).waitFor({ timeout: 8_000 });
  await chip("succeeded").filter({ hasText: "Succeeded 1" }).waitFor();
  assert.equal(await chip("all").innerText(), "All 2");
  const first = viewer.page.locator(".runs tbody tr").first();
  assert.equal(await first.getAttribute("data-id"), done.id);
  await examine(viewer);
  await viewer.page.setViewportSize({ width: 320, height: 640 });
  assert.ok(await viewer.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
  // A search is not repeated by itself, and says when it was made.
  await viewer.page.getByLabel("Input, error or #number").fill("disk");
  await viewer.page.getByRole("button", { name: "Apply" }).click();
  await viewer.page.waitForURL("**q=disk**");
  await viewer.page.getByText(/^As of /).waitFor();
  assert.equal(await viewer.page.locator(".runs tbody tr").count(), 1);
  await chip("failed").click();
  await viewer.page.waitForURL("**status=failed**");
  assert.equal(await chip("failed").getAttribute("aria-current"), "true");
});
