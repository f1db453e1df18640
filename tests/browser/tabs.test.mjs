// Many pages in one browser share one stream; without shared workers, each has its own only while it is visible.

import assert from "node:assert/strict";

import { fixtures, openLine } from "./servers.mjs";
import { promise, upTo } from "./viewers.mjs";

const TABS = 20;
const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });

/** So many pages of one browser, besides the first. */
async function more({ context }, many, address) {
  return Promise.all(Array.from({ length: many }, async (_, index) => {
    const page = await context.newPage();
    await page.goto(address(index));
    return page;
  }));
}

const reaches = (page, least) => page.waitForFunction((least) => document.querySelector("progress[value]")?.value >= least, least, { polling: 200 });
const says = (page, words) => page.locator('[data-part="status"]', { hasText: new RegExp(`^${words}$`) }).waitFor();

promise("twenty tabs over HTTP/1.1 share one stream", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const runs = [await program.run("count", { total: 3_000, pause: 200 }),
    await program.run("tally", { folder: program.data, items: 3_000, pause: 200 })];
  const address = (index) => `${line.url}runs/${runs[index % 2].id}`;
  const viewer = await open(address(0));
  const tabs = [viewer.page, ...await more(viewer, TABS - 1, (index) => address(index + 1))];
  const values = await Promise.all(tabs.map((page) => page.locator("progress").evaluate((bar) => bar.value)));
  await Promise.all(tabs.map((page, index) => reaches(page, values[index] + 0.05)));
  assert.equal(line.open(), 1);
  const last = line.asked().at(-1).searchParams;
  assert.deepEqual(last.getAll("run").sort(), runs.map(({ id }) => id).sort());
  const ask = { method: "POST", headers: { accept: "application/json" } };
  for (const { id } of runs) await program.json(`/runs/${id}/cancel`, ask);
  await Promise.all(tabs.map((page) => says(page, "Cancelled")));
  const kept = await Promise.all(runs.map(async ({ id }) => (await program.log(id)).length));
  for (const [index, page] of tabs.entries()) {
    const lines = await page.locator("[data-seq]").evaluateAll((all) => all.map((one) => Number(one.dataset.seq)));
    assert.deepEqual(lines.slice(-200), upTo(kept[index % 2]).slice(-200));
    assert.deepEqual(lines, [...new Set(lines)]);
  }
  // The stream is over: it closes.
  while (line.open() > 0) await pause(20);
  const before = line.requests.length;
  await pause(3_000);
  assert.equal(line.requests.length, before, "something was asked after the end");
});

promise("closing the last tab closes the stream", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 5_000, pause: 20 });
  const viewer = await open(`${line.url}runs/${id}`);
  const [second] = await more(viewer, 1, () => `${line.url}runs/${id}`);
  await reaches(second, 0.01);
  assert.equal(line.open(), 1);
  // As a person closes it: a page that is only killed says no goodbye, and is forgotten some minutes later.
  const close = async (page) => {
    const closed = page.waitForEvent("close");
    await page.close({ runBeforeUnload: true });
    await closed;
  };
  await close(second);
  await pause(500);
  assert.equal(line.open(), 1);
  // Not by another address: the browser may keep the page, and with it the worker, for whoever goes back.
  await close(viewer.page);
  while (line.open() > 0) await pause(20);
});

promise("without shared workers hidden tabs disconnect", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 300, pause: 20 });
  const viewer = await open(`${line.url}runs/${id}`, { shared: false });
  await reaches(viewer.page, 1);
  while (line.open() < 1) await pause(50);
  const hide = (state) => viewer.page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
  await hide("hidden");
  while (line.open() > 0) await pause(20);
  await hide("visible");
  const before = await viewer.page.locator("progress").evaluate((bar) => bar.value);
  await program.release("count");
  await reaches(viewer.page, before + 1);
  while (line.open() < 1) await pause(50);
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.lines(), upTo(300));
});

promise("a frozen page catches up", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 300, pause: 20 });
  const viewer = await open(`${line.url}runs/${id}`);
  await reaches(viewer.page, 5);
  await viewer.page.evaluate(() => document.dispatchEvent(new Event("freeze")));
  while (line.open() > 0) await pause(20);
  await program.release("count");
  await pause(1_500);
  assert.equal(line.open(), 0, "a frozen page holds a stream");
  await viewer.page.evaluate(() => document.dispatchEvent(new Event("resume")));
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.lines(), upTo(300));
});

promise("pages are live without workers", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const { id } = await program.run("count", { total: 100, pause: 20 });
  const viewer = await open("about:blank", { of: program, allowed: [/worker-src|Content Security Policy/] });
  await viewer.page.route(`${program.url}runs/${id}`, async (route) => {
    const answer = await route.fetch();
    const headers = { ...answer.headers(), "content-security-policy": "default-src 'self'; img-src 'self' data:; worker-src 'none'" };
    await route.fulfill({ response: answer, headers });
  });
  await viewer.page.goto(`${program.url}runs/${id}`);
  await viewer.percent(10);
  await program.release("count");
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.lines(), upTo(100));
  // The page is requested once more, for the outcome.
  await viewer.part("outcome").filter({ hasText: /\S/ }).waitFor();
});
