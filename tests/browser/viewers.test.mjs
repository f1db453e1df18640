// All viewers of a run see the same state, whenever they connect.

import assert from "node:assert/strict";

import { fixtures } from "./servers.mjs";
import { promise, upTo } from "./viewers.mjs";

promise("a reload shows the same run", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const { id } = await program.run("count", { total: 100, pause: 20 });
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.percent(20);
  const before = await viewer.page.locator("progress").evaluate((bar) => bar.value);
  await viewer.page.reload();
  // What the server sent, before any event: the first state that was noted.
  const [after] = await viewer.seen("bar");
  assert.ok(after >= before, `${before} became ${after}`);
  assert.equal(await viewer.atRun(), id);
  await program.release("count");
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.lines(), upTo(100));
  const runs = await program.json("/runs");
  assert.equal(runs.runs.length, 1);
});

promise("a second browser sees the same state", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const { id } = await program.run("count", { total: 100, pause: 20 });
  const first = await open(`${program.url}runs/${id}`);
  await first.percent(30);
  const second = await open(`${program.url}runs/${id}`);
  await second.percent(30);
  await program.release("count");
  const shown = [];
  for (const viewer of [first, second]) {
    await viewer.status("Succeeded");
    await viewer.part("outcome").filter({ hasText: /\S/ }).waitFor();
    assert.deepEqual(await viewer.lines(), upTo(100));
    const texts = ["status", "percent", "count", "text", "elapsed", "after", "outcome", "log"];
    shown.push(await Promise.all(texts.map((name) => viewer.part(name).innerText())));
  }
  assert.deepEqual(shown[0], shown[1]);
});

promise("a run continues without viewers", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const first = await open(`${program.url}count/show_progress?total=60&pause=20`);
  const id = await first.start();
  await first.percent(10);
  await first.page.close();
  await program.release("count");
  await program.until(id, ({ status }) => status === "succeeded");
  const second = await open(`${program.url}runs/${id}`);
  await second.status("Succeeded");
  assert.deepEqual(await second.lines(), upTo(60));
});

promise("the live page equals a reload", async ({ use, open }) => {
  const program = await use(fixtures());
  const jobs = {
    count: { total: 30, pause: 20 }, panics: {}, fails: {}, "ends-early": {}, "says-nothing": {}, spreads: {}, "returns-figures": {}, "stops-short": {},
    "odd/odd-values": {}, "writes-a-file": { name: "a b/ü\"!'().txt" }, chat: { lines: 300, pause: 20 }, "tells-much": {}, sort: { items: 10, pause: 10 },
  };
  const viewer = await open(program.url);
  for (const [route, input] of Object.entries(jobs)) {
    await viewer.page.goto(`${program.url}${route}/show_progress?${new URLSearchParams(input)}`);
    await viewer.start();
    await viewer.page.locator("article:not([data-status=running], [data-status=queued])").waitFor();
    await viewer.page.locator("[data-part=outcome], [data-part=failure]").filter({ hasText: /\S/ }).first().waitFor();
    // What was read aloud is not part of the picture, nor are characters that HTML cannot hold and that
    // nobody sees. A text of ten thousand equal letters makes no readable report.
    const shown = async () => {
      await viewer.part("announcement").evaluate((node) => { node.hidden = true; });
      const text = await viewer.page.locator("main").innerText();
      return text.replace(/[\0\r]/g, "").replace(/ +$/gm, "").replace(/(.)\1{40,}/g, "$1…");
    };
    const live = await shown();
    await viewer.page.reload();
    assert.equal(await shown(), live, route);
  }
});

promise("the process page shows its run live", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  await program.run("count", { total: 40, pause: 20 });
  const viewer = await open(`${program.url}count/show_progress`);
  await viewer.percent(50);
  await program.release("count");
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.lines(), upTo(40));
  assert.deepEqual(await viewer.result(), { Message: "Counted", Total: "40" });
  assert.equal(await viewer.page.title(), "Counting");
});
