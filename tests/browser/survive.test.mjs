// Runs that pause, are interrupted, fail or hang: the page shows it and offers actions.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { examine } from "./axe.mjs";
import { examples, fixtures, openLine } from "./servers.mjs";
import { climbs, promise, upTo } from "./viewers.mjs";

const refused = [/ERR_CONNECTION_REFUSED/, /ERR_INCOMPLETE_CHUNKED_ENCODING/, /ERR_CONNECTION_RESET/, /ERR_EMPTY_RESPONSE/];
const plain = { javaScriptEnabled: false };

const button = ({ page }, name) => page.getByRole("button", { name, exact: true });
const focused = ({ page }) => page.evaluate(() => document.activeElement.textContent.trim());
const wait = (ms) => new Promise((wake) => { setTimeout(wake, ms); });
const value = ({ page }) => page.locator("progress").evaluate((bar) => bar.value);

/** A folder in which runs of `tally` note what they did; it disappears. */
async function notes(use) {
  const path = await mkdtemp(join(tmpdir(), "process-notes-"));
  await use({ close: () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }) });
  return path;
}

/** What is offered for the run, as it stands. */
const offered = async ({ page }) => (await page.locator(".actions :is(button, a)").evaluateAll((all) =>
  all.filter((one) => one.checkVisibility()).map((one) => one.textContent)));

/** The result of the sample's import, whatever happened on its way. */
async function isWhole(program, id) {
  const run = await program.json(`/runs/${id}`);
  const { total, imported, updated, unchanged, broken } = run.result;
  assert.equal(run.status, "succeeded");
  assert.deepEqual([total, imported + broken, updated, unchanged], [6_000, 6_000, 0, 0], JSON.stringify(run.result));
  const warnings = (await program.log(id)).map((line) => /line \d+: /.exec(line)?.[0]).filter(Boolean);
  assert.deepEqual([warnings.length, new Set(warnings).size], [broken, broken], "a broken line is missing or doubled");
  return run;
}

promise("pause shows Pausing… until the next save", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("tally");
  const { id } = await program.run("tally", { folder: await notes(use), items: 10, pause: 20 });
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.percent(50);
  await button(viewer, "Pause").click();
  await viewer.status("Pausing…");
  await program.release("tally");
  await viewer.status("Paused");
});

promise("pause and resume lose and repeat nothing", async ({ use, open }) => {
  const program = await use(examples({ pace: 6 }));
  const viewer = await open(`${program.url}import-users/show_progress`);
  const id = await viewer.start();
  await viewer.percent(15);
  assert.deepEqual(await offered(viewer), ["Pause", "Cancel"]);
  await button(viewer, "Pause").focus();
  await viewer.page.keyboard.press("Enter");
  await viewer.status("Paused");
  // It may come to it before the browser draws again.
  assert.deepEqual((await viewer.seen("status")).filter((words) => words !== "Pausing…").slice(-2), ["Running", "Paused"]);
  assert.equal(await focused(viewer), "Resume");
  assert.deepEqual(await offered(viewer), ["Resume", "Cancel"]);
  const stands = [await value(viewer), await viewer.part("elapsed").textContent()];
  assert.ok(stands[0] >= 15 && stands[0] < 90, stands[0]);
  await wait(2_200);
  assert.deepEqual([await value(viewer), await viewer.part("elapsed").textContent()], stands);
  assert.equal(await viewer.part("took").textContent(), "Ran for");
  assert.equal(await viewer.page.title(), "Paused · Import users");
  // Another person, and a reload, see the same.
  const other = await open(`${program.url}runs/${id}`);
  assert.deepEqual([(await other.seen("status"))[0], await value(other)], ["Paused", stands[0]]);
  await viewer.page.keyboard.press("Enter");
  await viewer.status("Running");
  assert.equal(await focused(viewer), "Pause");
  await viewer.status("Completed with warnings");
  const bar = (await viewer.seen("bar")).filter((value) => value !== null);
  assert.ok(climbs(bar), `the bar went back: ${bar}`);
  await isWhole(program, id);
  assert.deepEqual(await viewer.texts(), (await other.texts()));
  assert.equal((await viewer.texts()).length, (await program.log(id)).length);
  assert.equal((await offered(viewer)).join(), "Edit and run again");
});

promise("pause and resume are announced", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("tally", { folder: await notes(use), items: 4_000, pause: 5 });
  const viewer = await open("about:blank", { of: program });
  await viewer.page.clock.install();
  await viewer.page.goto(`${program.url}runs/${id}`);
  const said = (text) => viewer.part("announcement").filter({ hasText: new RegExp(`^${text}`) }).waitFor({ state: "attached" });
  await viewer.status("Running");
  await said("Running: Tallying");
  for (const [name, status, text] of [["Pause", "Paused", "Paused"], ["Resume", "Running", "Resumed"]]) {
    await button(viewer, name).click();
    await viewer.status(status);
    await viewer.page.clock.fastForward(6_000);
    await said(text);
  }
  assert.equal(await viewer.page.getByRole("status").count(), 1);
});

promise("only runs with a cursor offer Pause", async ({ use, open }) => {
  const program = await use(examples({ pace: 6 }));
  const { id } = await program.run("import-users");
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.percent(5);
  await button(viewer, "Pause").click();
  await viewer.status("Paused");
  await button(viewer, "Cancel").focus();
  await viewer.page.keyboard.press("Enter");
  await viewer.status("Cancelled");
  assert.equal(await focused(viewer), "Import users");
  const [resume, ...rest] = await offered(viewer);
  assert.match(resume, /^Resume from \d+ %$/);
  assert.deepEqual(rest, ["Start over", "Edit and run again"]);
  const { id: other } = await program.run("recalculate-prices");
  await viewer.page.goto(`${program.url}runs/${other}`);
  await viewer.status("Running");
  assert.deepEqual(await offered(viewer), ["Cancel"]);
});

promise("an open page follows the import after kill -9", async ({ use, open }) => {
  const program = await use(examples({ pace: 6 }));
  const viewer = await open(`${program.url}import-users/show_progress`, { allowed: refused });
  const id = await viewer.start();
  await viewer.percent(30);
  // In the middle of a batch: between its two ends of a transaction it may be stored once more.
  await program.until(id, ({ current }) => current % 250 > 60 && current % 250 < 190);
  await program.kill();
  await viewer.part("note").filter({ hasText: /^Reconnecting… Last update at \d\d:\d\d:\d\d$/ }).waitFor();
  await program.open();
  await viewer.status("Completed with warnings");
  const run = await isWhole(program, id);
  assert.equal(run.attempt, 2);
  const later = await open(viewer.page.url());
  assert.deepEqual(await viewer.texts(), await later.texts());
  assert.deepEqual(await viewer.lines(), upTo((await program.log(id)).length));
  assert.equal((await viewer.result())["Result"], run.result.result);
  // The process's page and the run's page: nothing was loaded again.
  assert.equal(viewer.documents(), 2);
  assert.equal(await viewer.part("note").textContent(), "");
});

promise("lines lost in a crash disappear", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("tally");
  const line = await use(openLine(program));
  const folder = await notes(use);
  const { id } = await program.run("tally", { folder, items: 250, pause: 10 });
  const viewer = await open(`${line.url}runs/${id}`, { allowed: refused });
  for (const least of [20, 50]) {
    await viewer.percent(least);
    await program.kill();
    await program.open();
  }
  await program.release("tally");
  await viewer.status("Succeeded");
  const log = await program.log(id);
  assert.deepEqual(await viewer.texts(), log);
  assert.deepEqual(await viewer.lines(), upTo(log.length));
  const items = new Set(log.filter((text) => text.startsWith("item ")));
  assert.equal(items.size, 250);
});

promise("retry resumes in a new run", async ({ use, open }) => {
  const program = await use(fixtures());
  const folder = await notes(use);
  const { id } = await program.run("tally", { folder, items: 60, pause: 20, fails_at: 40 });
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.status("Failed");
  await viewer.page.reload();
  assert.deepEqual(await offered(viewer), ["Resume from 65 %", "Start over", "Edit and run again"]);
  writeFileSync(join(folder, "repaired"), "");
  await button(viewer, "Resume from 65 %").click();
  await viewer.page.waitForURL((url) => /\/runs\/[0-9a-f-]{36}$/.test(url) && !String(url).endsWith(id));
  const next = viewer.page.url().split("/").at(-1);
  await viewer.status("Succeeded");
  const items = (await viewer.texts()).filter((text) => text.startsWith("item "));
  assert.deepEqual([items[0], items.length], ["item 40", 21]);
  await viewer.page.locator("summary", { hasText: "Details" }).click();
  await viewer.page.getByRole("link", { name: id }).click();
  assert.equal(await viewer.atRun(), id);
  // Asking again leads to the same run; from the start there is another one.
  await button(viewer, "Resume from 65 %").click();
  await viewer.page.waitForURL(`**/runs/${next}`);
  await viewer.page.goto(`${program.url}runs/${id}`);
  await button(viewer, "Start over").click();
  await viewer.page.waitForURL((url) => ![id, next].some((known) => String(url).endsWith(known)));
  await viewer.status("Succeeded");
  assert.equal((await viewer.texts()).filter((text) => text.startsWith("item ")).length, 60);
  // Where there is no cursor there is one way to try again.
  const { id: other } = await program.run("fails");
  await viewer.page.goto(`${program.url}runs/${other}`);
  await viewer.status("Failed");
  assert.deepEqual(await offered(viewer), ["Start over", "Edit and run again"]);
});

promise("a retry is named alike, live and reloaded", async ({ use, open }) => {
  const program = await use(fixtures());
  const folder = await notes(use);
  for (const [fails_at, expected] of [[40, ["Resume from 65 %", "Start over", "Edit and run again"]], [1, ["Start over", "Edit and run again"]]]) {
    const viewer = await open(`${program.url}tally/show_progress?${new URLSearchParams({ folder, items: 60, pause: 10, fails_at })}`);
    await viewer.start();
    await viewer.status("Failed");
    await viewer.part("failure").filter({ hasText: /\S/ }).waitFor();
    assert.deepEqual(await offered(viewer), expected, `live, at ${fails_at}`);
    await viewer.page.reload();
    assert.deepEqual(await offered(viewer), expected, `reloaded, at ${fails_at}`);
  }
});

promise("a retry that cannot work says why", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}keeps-a-secret/show_progress?end=timeout`);
  await viewer.page.getByLabel("Password").fill("hunter2");
  await viewer.start();
  const why = viewer.page.getByText("Start over is not possible: its process no longer accepts its input");
  await viewer.status("Failed");
  await why.waitFor();
  assert.deepEqual(await offered(viewer), ["Edit and run again"]);
  await viewer.page.reload();
  await why.waitFor();
});

promise("Force stop ends a stalled run", async ({ use, open }) => {
  const program = await use(fixtures({ stalledAfter: 500 }));
  const { id } = await program.run("deaf", { milliseconds: 600_000 });
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.status("Stalled");
  assert.equal(await viewer.page.title(), "Stalled · Deaf");
  assert.deepEqual(await offered(viewer), ["Cancel", "Force stop"]);
  await button(viewer, "Force stop").focus();
  await viewer.page.keyboard.press("Enter");
  await viewer.status("Cancelled");
  assert.equal(await focused(viewer), "Deaf");
  assert.equal((await program.json(`/runs/${id}`)).status, "cancelled");
});

promise("a slow cancel offers Force stop", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("deaf", { milliseconds: 600_000 });
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.status("Running");
  const asked = performance.now();
  await button(viewer, "Cancel").click();
  await viewer.status("Cancelling…");
  assert.deepEqual(await offered(viewer), ["Cancelling…"]);
  await button(viewer, "Force stop").waitFor();
  assert.ok(performance.now() - asked > 2_500);
  await button(viewer, "Force stop").click();
  await viewer.status("Cancelled");
});

promise("a retrying run shows its next attempt", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("fails-later-again", {});
  for (const means of [{ timezoneId: "UTC" }, { ...plain, timezoneId: "UTC" }]) {
    const viewer = await open(`${program.url}runs/${id}`, means);
    await viewer.status("Waiting to retry");
    const { due_at } = await program.json(`/runs/${id}`);
    await viewer.part("note").filter({ hasText: `Next attempt at ${due_at.slice(11, 19)}` }).waitFor();
    assert.equal(await viewer.page.title(), "Waiting to retry · Failing, and again later");
    assert.deepEqual(await offered(viewer), ["Pause", "Cancel"]);
  }
});

promise("control buttons work without JavaScript", async ({ use, open }) => {
  const program = await use(fixtures({ stalledAfter: 500 }));
  await program.hold("tally");
  const folder = await notes(use);
  const { id } = await program.run("tally", { folder, items: 100, pause: 20, fails_at: 90 });
  const viewer = await open(`${program.url}runs/${id}`, plain);
  await program.until(id, ({ current }) => current >= 10);
  await button(viewer, "Pause").click();
  await program.release("tally");
  await program.until(id, ({ status }) => status === "paused");
  await viewer.page.reload();
  await viewer.status("Paused");
  assert.deepEqual(await offered(viewer), ["Resume", "Cancel"]);
  await button(viewer, "Resume").click();
  await program.until(id, ({ status }) => status === "failed");
  await viewer.page.reload();
  await viewer.status("Failed");
  writeFileSync(join(folder, "repaired"), "");
  await button(viewer, "Resume from 89 %").click();
  const next = await viewer.atRun();
  assert.notEqual(next, id);
  const { retry_of } = await program.until(next, ({ status }) => status === "succeeded");
  assert.equal(retry_of, id);
  const deaf = await program.run("deaf", { milliseconds: 600_000 });
  await program.until(deaf.id, ({ stalled }) => stalled);
  await viewer.page.goto(`${program.url}runs/${deaf.id}`);
  await viewer.status("Stalled");
  await button(viewer, "Force stop").click();
  assert.equal(await viewer.atRun(), deaf.id);
  await program.until(deaf.id, ({ status }) => status === "cancelled");
  await viewer.page.reload();
  await viewer.status("Cancelled");
});

promise("paused, stalled and retrying runs pass axe", async ({ use, open }) => {
  const program = await use(fixtures({ stalledAfter: 500 }));
  const paused = await program.run("tally", { folder: await notes(use), items: 1_000, pause: 20 });
  await program.until(paused.id, ({ current }) => current > 5);
  await program.json(`/runs/${paused.id}/pause`, { method: "POST" });
  const stalled = await program.run("deaf", { milliseconds: 600_000 });
  const waiting = await program.run("fails-later-again", {});
  for (const [{ id }, status] of [[paused, "Paused"], [stalled, "Stalled"], [waiting, "Waiting to retry"]]) {
    const viewer = await open(`${program.url}runs/${id}`);
    await viewer.status(status);
    await examine(viewer);
  }
  await program.json(`/runs/${stalled.id}/cancel`, { method: "POST" });
  const viewer = await open(`${program.url}runs/${stalled.id}`);
  await viewer.status("Cancelling…");
  await button(viewer, "Force stop").waitFor();
  await examine(viewer);
});

promise("control buttons fit 390 and 320 px", async ({ use, open }) => {
  const program = await use(fixtures({ stalledAfter: 500 }));
  const paused = await program.run("tally", { folder: await notes(use), items: 1_000, pause: 20 });
  const failed = await program.run("tally", { folder: await notes(use), items: 2, fails_at: 1 });
  const stalled = await program.run("deaf", { milliseconds: 600_000 });
  await program.json(`/runs/${paused.id}/pause`, { method: "POST" });
  for (const width of [390, 320]) {
    for (const [{ id }, status, rows] of [[paused, "Paused", 1], [failed, "Failed", width === 390 ? 2 : 3], [stalled, "Stalled", 1]]) {
      const viewer = await open(`${program.url}runs/${id}`, { viewport: { width, height: 700 } });
      await viewer.status(status);
      assert.ok(await viewer.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
      const boxes = await viewer.page.locator(".actions :is(button, a)").evaluateAll((all) =>
        all.filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().toJSON()));
      assert.ok(boxes.length > 1 && boxes.every(({ height }) => height >= 44), JSON.stringify(boxes));
      // Whole rows: no button stands alone with a gap beside it.
      const tops = [...new Set(boxes.map(({ top }) => top))];
      assert.ok(tops.length <= rows, JSON.stringify(boxes));
      const ends = tops.map((row) => Math.max(...boxes.filter(({ top }) => top === row).map(({ right }) => Math.round(right))));
      assert.equal(new Set(ends).size, 1, JSON.stringify(boxes));
    }
  }
});
