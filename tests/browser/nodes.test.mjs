// Two nodes on one database: each starts, shows and takes over the runs of the other. Needs tests/with-postgres.

import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { DATABASE, fixtures } from "./servers.mjs";
import { promise, upTo } from "./viewers.mjs";

const pair = async (use) => [await use(fixtures({ node: "left" })), await use(fixtures({ node: "right" }))];
const folder = () => mkdtemp(join(tmpdir(), "process-nodes-"));

function onTwoNodes(what, check) {
  if (DATABASE) promise(what, check);
  else test(what, { skip: "needs a database: tests/with-postgres" }, () => {});
}

onTwoNodes("a killed node's run goes on elsewhere before its viewer's eyes", async ({ use, open }) => {
  const [left, right] = await pair(use);
  const { id } = await left.run("tally", { folder: await folder(), items: 150, pause: 40 });
  const { node } = await left.until(id, (run) => run.current > 5);
  const [executing, other] = node === "left" ? [left, right] : [right, left];
  const viewer = await open(`${other.url}runs/${id}`);
  await viewer.page.locator('[data-seq="20"]').waitFor();
  await executing.kill();
  const killed = performance.now();
  const before = (await other.json(`/runs/${id}`)).attempt;
  await other.until(id, (run) => run.attempt > before);
  // The lease of two seconds, and one for those who look after it; and what a busy machine takes.
  const took = performance.now() - killed;
  assert.ok(took < 8_000, `taken over after ${took} ms`);
  await viewer.status("Succeeded");
  const texts = await viewer.texts();
  for (const item of upTo(150)) assert.ok(texts.includes(`item ${item}`), `item ${item} is missing`);
  assert.equal((await other.json(`/runs/${id}`)).node, node === "left" ? "right" : "left");
});

onTwoNodes("a run is controlled from any node, and its page names the node that executes it", async ({ use, open }) => {
  const [left, right] = await pair(use);
  const { id } = await left.run("wait");
  const { node } = await left.until(id, (run) => run.status === "running");
  const viewer = await open(`${(node === "left" ? right : left).url}runs/${id}`);
  await viewer.page.getByText("Details", { exact: true }).click();
  await viewer.page.locator("dt", { hasText: /^Node$/ }).locator("xpath=following-sibling::dd").getByText(node, { exact: true }).waitFor();
  await viewer.page.getByRole("button", { name: "Cancel" }).click();
  await viewer.status("Cancelled");
});

onTwoNodes("a run with files stays on the node that has them, and says so", async ({ use, open }) => {
  const [left, right] = await pair(use);
  const { id } = await left.run("writes-a-file", { name: "report.txt" });
  const { node, files } = await left.until(id, (run) => run.status === "succeeded");
  const [own, other] = node === "left" ? [left, right] : [right, left];
  assert.equal((await fetch(new URL(files[0].url, own.url))).status, 200);
  const refused = await fetch(new URL(files[0].url, other.url), { headers: { accept: "application/json" } });
  assert.equal(refused.status, 404);
  assert.match((await refused.json()).detail, new RegExp(`another node: .*${node}`));
  const viewer = await open(`${other.url}runs/${id}`);
  await viewer.page.getByText("Details", { exact: true }).click();
  await viewer.page.getByText(`${node}, which has its files or secrets`).waitFor();
});
