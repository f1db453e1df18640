// Pages for visitors with limited permissions: they offer nothing that would be refused, and show when a permission
// is lost.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { examine } from "./axe.mjs";
import { fixtures, openLine } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });
const refused = [/status of 40[14]/];

/** Somebody who is known by this name. */
const as = (name) => ({
  storageState: {
    cookies: [{ name: "user", value: name, domain: "127.0.0.1", path: "/", expires: -1, httpOnly: true, secure: false, sameSite: "Lax" }],
    origins: [],
  },
});

/** A run that root has started. */
async function started(program, route, input = {}) {
  const headers = { accept: "application/json", "content-type": "application/json", cookie: "user=root" };
  const answer = await fetch(new URL(`/${route}/start`, program.url), { method: "POST", headers, body: JSON.stringify(input) });
  assert.equal(answer.status, 201);
  return answer.json();
}

promise("a read-only viewer sees no buttons or form", async ({ use, open }) => {
  const program = await use(fixtures({ access: true }));
  const run = await started(program, "count", { total: 240, pause: 50 });
  const [root, viewer] = [await open(`${program.url}runs/${run.id}`, as("root")), await open(`${program.url}runs/${run.id}`, as("ann"))];
  await root.page.getByRole("button", { name: "Cancel" }).waitFor();
  await viewer.percent(5);
  const asked = viewer.page.locator('form[method="post"]');
  assert.equal(await asked.count(), 0);
  await viewer.status("Succeeded");
  await viewer.page.locator(".result").waitFor();
  await root.page.getByRole("link", { name: "Download", exact: true }).waitFor();
  await root.page.getByRole("link", { name: "Edit and run again" }).waitFor();
  assert.equal(await asked.count(), 0);
  assert.equal(await viewer.page.getByRole("link", { name: /Download|Edit and run again/ }).count(), 0);
  // The page that comes anew is the same.
  await viewer.page.reload();
  await viewer.page.locator(".result").waitFor();
  assert.equal(await viewer.page.getByRole("link", { name: /Download|Edit and run again/ }).count(), 0);
  await viewer.page.getByRole("link", { name: "View log" }).click();
  await viewer.page.getByRole("heading", { name: "Log" }).waitFor();
  await viewer.page.goto(`${program.url}count/show_progress`);
  await viewer.page.getByRole("heading", { name: "Counting" }).waitFor();
  assert.equal(await viewer.page.getByRole("button", { name: "Start" }).count(), 0);
  await examine(viewer);
});

promise("revoked access ends updates and reconnects", async ({ use, open }) => {
  const program = await use(fixtures({ access: true }));
  const run = await started(program, "count", { total: 100_000, pause: 20 });
  const line = await use(openLine(program));
  const viewer = await open(`${line.url}runs/${run.id}`, { allowed: refused, ...as("ann") });
  await viewer.page.locator("[data-seq]").nth(5).waitFor();
  await writeFile(join(program.data, "closed"), "");
  await viewer.part("note").filter({ hasText: "This run was removed" }).waitFor();
  const lines = (await viewer.lines()).length, requests = line.requests.length;
  await pause(3_000);
  assert.equal((await viewer.lines()).length, lines);
  assert.equal(line.requests.length, requests);
});

promise("a signed-out viewer is asked to sign in", async ({ use, open }) => {
  const program = await use(fixtures({ access: true }));
  const run = await started(program, "count", { total: 100_000, pause: 20 });
  const line = await use(openLine(program));
  const viewer = await open(`${line.url}runs/${run.id}`, { allowed: refused, ...as("guest") });
  await viewer.page.locator("[data-seq]").nth(5).waitFor();
  await writeFile(join(program.data, "closed"), "");
  await viewer.part("note").filter({ hasText: "Signed out: sign in again" }).waitFor();
  const requests = line.requests.length;
  await pause(3_000);
  assert.equal(line.requests.length, requests);
});

promise("a share link opens only its run", async ({ use, open }) => {
  const program = await use(fixtures({ access: true }));
  const run = await started(program, "count", { total: 100_000, pause: 20 });
  const root = await open(`${program.url}runs/${run.id}`, as("root"));
  await root.page.getByRole("button", { name: "Share" }).click();
  const link = await root.page.getByRole("textbox", { name: "Share link" }).inputValue();
  assert.ok(link.startsWith(`${program.url}runs/${run.id}?share=`), link);
  await examine(root);
  const stranger = await open(link, { allowed: refused });
  assert.equal(stranger.page.url(), `${program.url}runs/${run.id}`);
  await stranger.percent(0.01);
  const lines = (await stranger.lines()).length;
  await stranger.page.locator("[data-seq]").nth(lines + 3).waitFor();
  assert.equal(await stranger.page.locator('form[method="post"]').count(), 0);
  const download = stranger.page.waitForEvent("download");
  await stranger.page.getByRole("link", { name: "Download log" }).click();
  assert.equal((await download).suggestedFilename(), `${run.id}.log`);
  await stranger.page.goto(`${program.url}count/show_progress`);
  await stranger.page.getByRole("heading", { name: "Not Found" }).waitFor();
});
