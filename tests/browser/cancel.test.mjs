// Cancel: it shows immediately, works on any run, and reports a failed request.

import assert from "node:assert/strict";

import { fixtures } from "./servers.mjs";
import { promise, upTo } from "./viewers.mjs";

const cancel = ({ page }) => page.getByRole("button", { name: "Cancel" });

promise("cancel shows Cancelling… within 100 ms", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}count/show_progress?total=1000&pause=20`);
  const id = await viewer.start();
  await viewer.percent(3);
  await cancel(viewer).focus();
  await cancel(viewer).click();
  await viewer.status("Cancelled");
  const states = await viewer.seen("status", true);
  assert.deepEqual(states.map(({ value }) => value).slice(-3), ["Running", "Cancelling…", "Cancelled"]);
  const clicked = await viewer.page.evaluate(() => window.seen.clicks.at(-1));
  assert.ok(states.at(-2).at - clicked < 100, `${states.at(-2).at - clicked} ms`);
  // The bar stays where it was, the log is whole, and there is a way to begin again.
  assert.ok(await viewer.page.locator("progress").evaluate((bar) => bar.value) < 50);
  const log = await program.log(id);
  assert.deepEqual(await viewer.lines(), upTo(log.length));
  assert.equal(await cancel(viewer).count(), 0);
  // The button is gone; whoever pressed it is not lost.
  assert.equal(await viewer.page.evaluate(() => document.activeElement.dataset.part), "title");
  await viewer.page.getByRole("link", { name: "Edit and run again" }).click();
  assert.equal(await viewer.page.getByLabel("Total").inputValue(), "1000");
});

promise("cancel stops a blocking loop and runs destructors", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("spin");
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.status("Running");
  await cancel(viewer).click();
  await viewer.status("Cancelled");
  await viewer.logged(["cleaned up"]);
});

promise("later viewers see Cancelling… until the end", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("deaf", { milliseconds: 600_000 });
  const first = await open(`${program.url}runs/${id}`);
  await first.status("Running");
  await cancel(first).click();
  const button = first.page.getByRole("button", { name: "Cancelling…" });
  await button.waitFor();
  assert.ok(await button.isDisabled());
  const second = await open(`${program.url}runs/${id}`);
  assert.equal((await second.seen("status"))[0], "Cancelling…");
  await second.page.getByRole("button", { name: "Force stop" }).click();
  for (const viewer of [first, second]) await viewer.status("Cancelled");
});

promise("a failed cancel request can be repeated", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("wait");
  const viewer = await open(`${program.url}runs/${id}`, { allowed: [/ERR_CONNECTION_FAILED|ERR_FAILED/] });
  await viewer.status("Running");
  await viewer.page.route("**/cancel", (route) => route.abort("connectionfailed"));
  await cancel(viewer).click();
  await viewer.part("note").filter({ hasText: "“Cancel” was not confirmed: it may not have reached the server. Try again." }).waitFor();
  await viewer.status("Running");
  await viewer.page.unroute("**/cancel");
  await cancel(viewer).click();
  await viewer.status("Cancelled");
});
