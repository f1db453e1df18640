// Search: lines of a log, and runs of the history.

import assert from "node:assert/strict";

import { examine } from "./axe.mjs";
import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

/** A run with 1,200 lines, every fourth a warning. */
async function grumbled(program) {
  const { id } = await program.run("grumbles", { lines: 1_200, every: 4, pause: 1 });
  await program.until(id, ({ status }) => status === "succeeded");
  return id;
}

const inForm = ({ page }) => page.getByRole("search");

promise("log search leads through pages and back", async ({ use, open }) => {
  const program = await use(fixtures());
  const id = await grumbled(program);
  const viewer = await open(`${program.url}runs/${id}`);
  await inForm(viewer).getByRole("searchbox").fill("LINE 11");
  await inForm(viewer).getByRole("button", { name: "Search" }).click();
  await viewer.page.waitForURL(`**/runs/${id}/log?q=LINE+11`);
  // 11, 110 to 119 and 1100 to 1199.
  assert.equal((await viewer.lines()).length, 111);
  await inForm(viewer).getByLabel("Level").selectOption({ label: "Warning and above" });
  await inForm(viewer).getByLabel("Search log").fill("");
  await inForm(viewer).getByRole("button", { name: "Apply" }).click();
  await viewer.page.waitForURL("**/log?q=&level=warn");
  assert.equal((await viewer.lines()).length, 300);
  assert.match((await viewer.texts())[0], /^Warning line 4: hm/);
  assert.equal(await inForm(viewer).getByLabel("Level").inputValue(), "warn");
  await inForm(viewer).getByLabel("Level").selectOption({ label: "All" });
  await inForm(viewer).getByRole("button", { name: "Apply" }).click();
  const seen = await viewer.lines();
  for (let pages = 0; pages < 2; pages += 1) {
    await viewer.page.getByRole("link", { name: "Next" }).click();
    await viewer.page.waitForURL(`**&after=${seen.at(-1)}`);
    seen.push(...await viewer.lines());
  }
  assert.deepEqual(seen, Array.from({ length: 1_200 }, (_, index) => index + 1));
  assert.equal(await viewer.page.getByRole("link", { name: "Next" }).count(), 0);
  const [file] = await Promise.all([
    viewer.page.waitForEvent("download"),
    viewer.page.getByRole("link", { name: "Download these lines" }).click(),
  ]);
  assert.equal(file.suggestedFilename(), `${id}.log`);
  await viewer.page.getByRole("link", { name: "Back to the run" }).click();
  assert.equal(await viewer.atRun(), id);
});

promise("log search works without JavaScript", async ({ use, open }) => {
  const program = await use(fixtures());
  const id = await grumbled(program);
  const viewer = await open(`${program.url}runs/${id}`, { javaScriptEnabled: false });
  await inForm(viewer).getByRole("searchbox").fill("100: hm, 100 % <odd>");
  await inForm(viewer).getByRole("searchbox").press("Enter");
  await viewer.page.waitForURL("**/log?q=*");
  assert.deepEqual(await viewer.texts(), ["Warning line 100: hm, 100 % <odd> & a_b", "Warning line 1100: hm, 100 % <odd> & a_b"]);
  assert.equal(await inForm(viewer).getByLabel("Search log").inputValue(), "100: hm, 100 % <odd>");
});

promise("log levels are labelled in every update", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("says-all");
  const expected = ["Debug found out", "said", "Warning warned", "Error broken"];
  const viewer = await open(`${program.url}says-all/show_progress`);
  // The run waits behind this one until the page is open: then its lines come through the stream.
  const before = await program.run("says-all");
  await viewer.start();
  await viewer.status("Queued");
  await program.release("says-all");
  await program.until(before.id, ({ status }) => status === "succeeded");
  await viewer.status("Completed with warnings");
  assert.deepEqual(await viewer.texts(), expected);
  await viewer.page.reload();
  assert.deepEqual(await viewer.texts(), expected);
  await examine(viewer);
});

promise("history filters stay across pages", async ({ use, open }) => {
  const program = await use(fixtures());
  for (let count = 0; count < 51; count += 1) await program.run("says-nothing");
  const failed = await program.run("fails");
  await program.until(failed.id, ({ status }) => status === "failed");
  const today = new Date().toISOString().slice(0, 10);
  const viewer = await open(`${program.url}runs`);
  const rows = viewer.page.locator(".runs tbody tr"), show = viewer.page.getByRole("button", { name: "Apply" });
  await viewer.page.getByLabel("From (UTC)").fill(today);
  await viewer.page.getByLabel("Until (UTC)").fill(today);
  await show.click();
  await viewer.page.waitForURL("**from=**");
  assert.equal(await rows.count(), 50);
  await viewer.page.getByRole("link", { name: "Older" }).click();
  await viewer.page.waitForURL((url) => url.search.startsWith(`?from=${today}&until=${today}&before=`));
  assert.equal(await rows.count(), 2);
  assert.equal(await viewer.page.getByLabel("From (UTC)").inputValue(), today);
  await viewer.page.getByRole("combobox", { name: "Status" }).selectOption("Failed");
  await show.click();
  await viewer.page.waitForURL("**status=failed**");
  assert.equal(await rows.count(), 1);
  await viewer.page.getByLabel("Started by").fill("nobody");
  await show.click();
  await viewer.page.getByText("No runs match.").waitFor();
  await examine(viewer);
});

promise("the log page passes axe and fits 320 px", async ({ use, open }) => {
  const program = await use(fixtures());
  const id = await grumbled(program);
  const viewer = await open(`${program.url}runs/${id}/log?q=line&level=warn`);
  await examine(viewer);
  await viewer.page.setViewportSize({ width: 320, height: 640 });
  assert.ok(await viewer.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
  const low = await viewer.page.locator("button, .button, input, select").evaluateAll((all) =>
    all.filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.outerHTML));
  assert.deepEqual(low, []);
});
