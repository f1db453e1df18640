// The main task: press Start, and watch a run to its end.

import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { readFile } from "node:fs/promises";

import { examples } from "./servers.mjs";
import { climbs, promise } from "./viewers.mjs";

async function watched({ use, open }, route, pace, end = "Succeeded") {
  const program = await use(examples({ pace }));
  const viewer = await open(`${program.url}${route}/show_progress`);
  const id = await viewer.start();
  await viewer.status(end);
  const bar = (await viewer.seen("bar")).filter((value) => value !== null);
  const run = await program.json(`/runs/${id}`);
  assert.ok(bar.length >= 10, `the bar stood still: ${bar}`);
  assert.ok(bar.slice(0, -1).every((value) => value < 100), `full before the end: ${bar}`);
  assert.equal(bar.at(-1), 100);
  const filling = await viewer.seen("lines");
  assert.ok(filling.length >= 3 && climbs(filling), `the log did not fill: ${filling}`);
  assert.equal((await viewer.texts()).length, (await program.log(id)).length);
  const shown = await viewer.result();
  assert.equal(Object.keys(shown).length, Object.keys(run.result).length, JSON.stringify(shown));
  assert.match(await viewer.part("took").textContent(), /Took/);
  assert.match(await viewer.part("elapsed").textContent(), /^\d+(\.\d)? s$/);
  const titles = await viewer.seen("window");
  // Each repaint writes both; at the end of a stage the title says Finishing… in place of a figure.
  const named = bar.filter((value) => titles.includes(`${Math.floor(value)} % · ${run.title}`));
  assert.ok(named.length >= bar.length / 2, `${titles.join()} for ${bar}`);
  assert.equal(titles.at(-1), `Done · ${run.title}`);
  // The process's page and the run's page: nothing was loaded again.
  assert.equal(viewer.documents(), 2);
  return { viewer, run, shown, bar };
}

promise("recalculating prices shows progress, log and result", async (means) => {
  const { run, shown, bar } = await watched(means, "recalculate-prices", 3);
  assert.ok(climbs(bar), `the bar went back: ${bar}`);
  assert.ok(run.result.total >= 10_000);
  assert.deepEqual(shown, {
    Message: "Prices updated successfully",
    Total: run.result.total.toLocaleString("en"),
    Changed: run.result.changed.toLocaleString("en"),
    Unchanged: run.result.unchanged < 10_000 ? String(run.result.unchanged) : run.result.unchanged.toLocaleString("en"),
    "Price sum before": run.result.price_sum_before,
    "Price sum after": run.result.price_sum_after,
  });
});

promise("importing users lists every failed line", async (means) => {
  const { viewer, run, shown, bar } = await watched(means, "import-users", 2, "Completed with warnings");
  assert.ok(climbs(bar), `the bar went back: ${bar}`);
  assert.equal(shown.Result, run.result.result);
  assert.ok(run.result.broken > 0);
  const errors = (await viewer.texts()).filter((text) => text.startsWith("Error "));
  assert.equal(errors.length, run.result.broken);
  for (const error of errors) assert.match(error, /^Error line \d+: ./);
});

promise("the backup shows stages and offers its archive", async (means) => {
  const { viewer, run } = await watched(means, "admin/backup-system", 5);
  const stages = (await viewer.seen("stage")).filter(Boolean);
  assert.deepEqual([...new Set(stages)], ["1 of 3 · Listing files", "2 of 3 · Archiving", "3 of 3 · Verifying"]);
  const coming = viewer.page.waitForEvent("download");
  await viewer.page.getByRole("link", { name: run.result.file }).click();
  const download = await coming;
  assert.match(download.suggestedFilename(), /^backup-\d{4}-\d\d-\d\d\.tar\.gz$/);
  const bytes = await readFile(await download.path());
  assert.equal(bytes.length, run.result.compressed_bytes);
  assert.ok(gunzipSync(bytes).length >= run.result.bytes);
});
