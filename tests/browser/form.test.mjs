// The form: one press starts one run, and input is never lost.

import assert from "node:assert/strict";

import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const runs = async (program) => (await program.json("/runs")).runs.length;

promise("a double click on Start makes one run", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}count/show_progress`);
  await viewer.page.getByRole("button", { name: "Start" }).dblclick();
  await viewer.atRun();
  await viewer.status("Succeeded");
  assert.equal(await runs(program), 1);
});

promise("a second visit starts a second run", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}count/show_progress?total=2`);
  const first = await viewer.start();
  await viewer.status("Succeeded");
  await viewer.page.goBack({ waitUntil: "commit" });
  const second = await viewer.start();
  assert.notEqual(second, first);
  assert.equal(await runs(program), 2);
});

promise("invalid values are kept, marked and summarized", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}count/show_progress`, { allowed: [/status of 422/] });
  const { page } = viewer;
  const total = page.getByLabel("Total"), pause = page.getByLabel("Pause");
  await total.fill("-5");
  await pause.fill("7");
  await page.getByRole("button", { name: "Start" }).click();
  const summary = page.getByRole("alert");
  await summary.waitFor();
  assert.equal(await page.title(), "Error: Counting");
  assert.equal(await total.inputValue(), "-5");
  assert.equal(await pause.inputValue(), "7");
  assert.equal(await total.getAttribute("aria-invalid"), "true");
  assert.equal(await pause.getAttribute("aria-invalid"), null);
  const [described] = (await total.getAttribute("aria-describedby")).split(" ").slice(-1);
  assert.ok((await page.locator(`#${described}`).textContent()).length > 5);
  assert.ok(await summary.evaluate((node) => node === document.activeElement), "the summary has no focus");
  await summary.getByRole("link").click();
  assert.ok(await total.evaluate((node) => node === document.activeElement), "the link does not lead to its field");
  assert.equal(await runs(program), 0);
  await total.fill("3");
  await viewer.start();
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.result(), { Message: "Counted", Total: "3" });
});

promise("non-numeric text is kept as typed", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}count/show_progress`, { allowed: [/status of 422/] });
  const total = viewer.page.getByLabel("Total");
  await total.evaluate((input) => { input.type = "text"; });
  await total.fill('"><img src=x onerror=alert(1)>');
  await viewer.page.getByRole("button", { name: "Start" }).click();
  await viewer.page.getByRole("alert").waitFor();
  assert.equal(await total.inputValue(), '"><img src=x onerror=alert(1)>');
  assert.equal(await viewer.page.locator("main img").count(), 0);
});

promise("a query fills in the form", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}count/show_progress?total=12&unknown=1`);
  assert.equal(await viewer.page.getByLabel("Total").inputValue(), "12");
  assert.equal(await viewer.page.getByLabel("Pause").inputValue(), "20");
  assert.equal(await runs(program), 0);
});
