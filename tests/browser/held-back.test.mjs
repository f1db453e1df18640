// A proxy that holds streams back: pages ask every few seconds instead, and lose and repeat nothing.

import assert from "node:assert/strict";

import { bufferingNginx } from "./nginx.mjs";
import { openOwn, says } from "./own.mjs";
import { fixtures, openLine } from "./servers.mjs";
import { promise, upTo } from "./viewers.mjs";

const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });
const polling = "Updates every few seconds";
const note = (viewer, words) => viewer.part("note").filter({ hasText: words }).waitFor({ state: "attached" });

/** Waits until the page has asked so often. */
async function asked(line, least) {
  for (let tries = 0; line.polled() < least; tries += 1) {
    assert.ok(tries < 600, `asked ${line.polled()} times, not ${least}`);
    await pause(50);
  }
}

/** A page without a shared worker, whose clock the test moves. */
async function clocked(open, line, path) {
  const viewer = await open("about:blank", { of: line, shared: false });
  await viewer.page.clock.install();
  await viewer.page.goto(line.url + path);
  return viewer;
}

const hide = ({ page }, hidden) => page.evaluate((state) => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}, hidden ? "hidden" : "visible");

// In real time, because the clock of a shared worker is its own.
promise("two buffering nginx in a row delay updates by seconds", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const inner = await use(bufferingNginx(line.url)), outer = await use(bufferingNginx(inner.url));
  // Slowly, because whatever fills a buffer is passed on.
  const { id } = await program.run("count", { total: 100_000, pause: 500 });
  const viewer = await open(`${outer.url}runs/${id}`);
  const known = (await viewer.lines()).length;
  await viewer.part("note").filter({ hasText: polling }).waitFor({ timeout: 60_000 });
  const before = (await viewer.lines()).length;
  assert.ok(before > known, "nothing has come");
  await viewer.page.locator(`[data-seq="${before + 12}"]`).waitFor();
  const lines = await viewer.lines();
  assert.deepEqual(lines, upTo(lines.length));
  // A hidden page does not ask, and is up to date soon after it is shown again.
  await hide(viewer, true);
  await pause(5_000);
  const count = line.polled();
  await pause(6_000);
  assert.equal(line.polled(), count, "a hidden page asked");
  await hide(viewer, false);
  await asked(line, count + 1);
  await viewer.page.getByRole("button", { name: "Cancel" }).click();
  await viewer.status("Cancelled");
  const kept = await program.log(id);
  assert.deepEqual(await viewer.lines(), upTo(kept.length));
});

for (const [what, snapshots] of [["the head of the response", 0], ["all after the snapshot", 1]]) {
  promise(`a proxy that holds back ${what} is noticed`, async ({ use, open }) => {
    const program = await use(fixtures());
    const line = await use(openLine(program));
    line.hold(snapshots);
    const { id } = await program.run("count", { total: 100_000, pause: 20 });
    const viewer = await clocked(open, line, `runs/${id}`);
    // Long enough that nothing is asked while the page may still be live.
    await viewer.page.clock.runFor(25_000);
    assert.equal(line.polled(), 0);
    await viewer.page.clock.runFor(6_000);
    await asked(line, 1);
    // A new stream is no better.
    while (line.asked().length < 2) await pause(20);
    await viewer.page.clock.runFor(22_000);
    await note(viewer, polling);
    const left = viewer.part("left");
    assert.ok(await left.isVisible() || (await left.textContent()) === "", "the time left is hidden");
    await viewer.page.clock.runFor(5_000);
    await asked(line, 3);
    const streams = line.asked().length;
    await viewer.page.clock.runFor(6_000);
    await asked(line, 4);
    assert.equal(line.asked().length, streams, "a stream is tried each time");
    assert.equal(line.open(), 0);
    const lines = await viewer.lines();
    assert.deepEqual(lines, upTo(lines.length));
    assert.ok(lines.length > 20, `${lines.length} lines`);
    // The proxy is repaired: a stream is tried again in some minutes, and stays.
    line.pass();
    for (let tries = 0; line.asked().length === streams; tries += 1) {
      assert.ok(tries < 120, "no stream is tried again");
      await viewer.page.clock.runFor(4_500);
      await pause(50);
    }
    await note(viewer, /^$/);
    const polled = line.polled();
    await viewer.page.clock.runFor(9_000);
    assert.equal(line.polled(), polled);
    await program.json(`/runs/${id}/cancel`, { method: "POST", headers: { accept: "application/json" } });
    await viewer.status("Cancelled");
    assert.deepEqual(await viewer.lines(), upTo((await program.log(id)).length));
  });
}

promise("a stream that is held back is not taken for a run without progress", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  line.hold(1);
  const { id } = await program.run("count", { total: 20_000, pause: 5 });
  const estimated = async () => (await program.json(`/runs/${id}`)).estimate?.left_ms > 30_000;
  while (!await estimated()) await pause(100);
  const viewer = await clocked(open, line, `runs/${id}`);
  await viewer.page.clock.runFor(20_000);
  assert.match(await viewer.part("left").textContent(), /^about \d+ (s|m) left$/);
});

promise("the element and the client are updated behind such a proxy", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  line.hold();
  const run = await program.run("count", { total: 100_000, pause: 20 });
  const viewer = await openOwn(open, line, `<process-progress src="/runs/${run.id}"></process-progress>`,
    { shared: false, before: (page) => page.clock.install() });
  await viewer.page.evaluate(async (address) => {
    const { connect } = await import("/assets/client.js");
    const run = window.run = connect(address);
    window.told = [];
    window.lines = [];
    run.addEventListener("connection", ({ detail }) => window.told.push(detail));
    run.addEventListener("snapshot", ({ detail }) => window.lines.push(...detail.log.lines.map(({ seq }) => seq)));
    // A line that arrives while the snapshot is made follows it.
    run.addEventListener("log", ({ detail }) => window.lines.push(detail.seq));
    run.addEventListener("end", ({ detail }) => { window.end = detail.status; });
  }, `/runs/${run.id}`);
  // Without a shared worker, the two scripts have a stream each.
  while (line.asked().length < 2) await pause(20);
  await viewer.page.clock.runFor(31_000);
  await asked(line, 2);
  while (line.asked().length < 4) await pause(20);
  await viewer.page.clock.runFor(22_000);
  await viewer.page.waitForFunction(() => window.told.length > 0);
  await says(viewer, "note", polling);
  assert.deepEqual(await viewer.page.evaluate(() => [window.told, window.run.isPolling]),
    [[{ lost: false, signedOut: false, polling: true }], true]);
  await program.json(`/runs/${run.id}/cancel`, { method: "POST", headers: { accept: "application/json" } });
  await viewer.page.clock.runFor(6_000);
  await says(viewer, "status", "Cancelled");
  await viewer.page.waitForFunction(() => window.end === "cancelled");
  const lines = await viewer.page.evaluate(() => window.lines);
  assert.deepEqual(lines, upTo((await program.log(run.id)).length));
});

promise("a run that ends while streams are held back has its outcome", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const line = await use(openLine(program));
  line.hold(1);
  const { id } = await program.run("count", { total: 150, pause: 5 });
  const viewer = await clocked(open, line, `runs/${id}`);
  await viewer.page.clock.runFor(31_000);
  await asked(line, 1);
  while (line.asked().length < 2) await pause(20);
  await viewer.page.clock.runFor(22_000);
  await note(viewer, polling);
  await program.release("count");
  await program.until(id, ({ status }) => status === "succeeded");
  await viewer.page.clock.runFor(6_000);
  await viewer.status("Succeeded");
  await viewer.part("outcome").filter({ hasText: /\S/ }).waitFor();
  assert.equal(await viewer.part("note").textContent(), "");
  assert.deepEqual(await viewer.texts(), upTo(150).map((number) => `line ${number}`));
  const requests = line.requests.length;
  await viewer.page.clock.runFor(120_000);
  await pause(500);
  assert.equal(line.requests.length, requests, "something was asked after the end");
});
