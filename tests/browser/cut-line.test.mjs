// Lost connections and restarts of the server: the page shows them, reconnects, and neither loses nor repeats lines.

import assert from "node:assert/strict";

import { examples, fixtures, openLine } from "./servers.mjs";
import { promise, upTo } from "./viewers.mjs";

const refused = [/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED/];
const streams = ({ requests }) => requests.filter(({ type }) => type === "eventsource").length;
const reconnecting = (viewer) => viewer.part("note").filter({ hasText: "Reconnecting…" }).waitFor();

promise("after kill -9 the page shows Interrupted", async ({ use, open }) => {
  const program = await use(examples({ pace: 20 }));
  const viewer = await open(`${program.url}recalculate-prices/show_progress`, { allowed: refused });
  const id = await viewer.start();
  await viewer.page.locator("[data-seq='3']").waitFor();
  const seen = await viewer.texts();
  await program.kill();
  await reconnecting(viewer);
  await viewer.status("Running");
  await program.open();
  await viewer.status("Interrupted");
  assert.equal(viewer.documents(), 2, "it was loaded again");
  assert.equal(await viewer.part("note").textContent(), "");
  const kept = await program.log(id);
  const shown = (await viewer.texts()).map((text) => text.replace(/^Warning /, ""));
  assert.deepEqual(shown, kept);
  assert.deepEqual(await viewer.lines(), upTo(kept.length));
  assert.ok(seen.length <= kept.length + 3, `${seen.length} lines were seen, ${kept.length} kept`);
  assert.match(await viewer.part("failure").innerText(), /The server stopped responding while this was running\./);
  assert.ok(await viewer.page.getByRole("link", { name: "Edit and run again" }).isVisible());
});

promise("the clock stands while nothing is heard", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 100_000, pause: 20 });
  const viewer = await open(`${line.url}runs/${id}`, { allowed: refused });
  await viewer.percent(0.01);
  const colour = () => viewer.page.locator("process-progress .status").evaluate((node) => getComputedStyle(node).color);
  const live = await colour();
  await program.kill();
  await viewer.part("note").filter({ hasText: /^Reconnecting… Last update at \d\d:\d\d:\d\d$/ }).waitFor();
  const elapsed = await viewer.part("elapsed").textContent();
  await new Promise((wake) => { setTimeout(wake, 3_000); });
  assert.equal(await viewer.part("elapsed").textContent(), elapsed);
  assert.equal(await viewer.part("rate").textContent(), "");
  assert.notEqual(await colour(), live, "nobody knows whether it still runs");
  await program.open();
  await viewer.status("Interrupted");
  assert.equal(await viewer.page.locator("process-progress[lost]").count(), 0);
});

promise("after a crash the page shows the stored log", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const viewer = await open(`${line.url}wait/show_progress`, { allowed: refused });
  const id = await viewer.start();
  // Seen at once, but stored a fifth of a second later.
  await viewer.page.getByText("waiting", { exact: true }).waitFor();
  await program.kill();
  await reconnecting(viewer);
  await program.open();
  await viewer.status("Interrupted");
  assert.deepEqual(await viewer.texts(), await program.log(id));
});

promise("a reconnect shows every log line once", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 150, pause: 20 });
  const viewer = await open(`${line.url}runs/${id}`, { allowed: refused });
  await viewer.percent(10);
  await line.cut();
  await reconnecting(viewer);
  await line.mend();
  await viewer.part("note").filter({ hasText: /^$/ }).waitFor({ state: "attached" });
  await viewer.status("Running");
  await program.release("count");
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.texts(), upTo(150).map((number) => `line ${number}`));
  assert.equal(viewer.documents(), 1);
});

promise("the page recovers from a 502", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 150, pause: 20 });
  const viewer = await open(`${line.url}runs/${id}`, { allowed: [...refused, /status of 502/] });
  await viewer.percent(5);
  line.turnBad();
  await reconnecting(viewer);
  while (line.refused() < 2) await new Promise((wake) => { setTimeout(wake, 50); });
  line.turnGood();
  await program.release("count");
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.lines(), upTo(150));
});

promise("a full server is retried after Retry-After", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 500, pause: 20 });
  const viewer = await open(`${line.url}runs/${id}`, { allowed: [...refused, /status of 503/] });
  await viewer.percent(2);
  // The page says that by itself; it is the open stream that is to be cut.
  const known = (await viewer.texts()).length;
  while ((await viewer.texts()).length <= known) await new Promise((wake) => { setTimeout(wake, 20); });
  line.turnBad("503 Service Unavailable\r\nRetry-After: 5");
  await reconnecting(viewer);
  // The stream, and then the question why there is none.
  while (line.refused() < 2) await new Promise((wake) => { setTimeout(wake, 50); });
  await new Promise((wake) => { setTimeout(wake, 4_000); });
  assert.equal(line.refused(), 2);
  line.turnGood();
  await program.release("count");
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.texts(), upTo(500).map((number) => `line ${number}`));
});

promise("a silent connection is reopened after 30 seconds", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("wait");
  // The clock is the page's own.
  const viewer = await open("about:blank", { of: program, shared: false });
  await viewer.page.clock.install();
  await viewer.page.goto(`${program.url}runs/${id}`);
  await viewer.status("Running");
  await viewer.page.locator("[data-seq='1']").waitFor();
  while (streams(viewer) < 1) await new Promise((wake) => { setTimeout(wake, 50); });
  await viewer.page.clock.runFor(25_000);
  assert.equal(viewer.requests.filter(({ url }) => /\/events\?/.test(url)).length, 1);
  const asked = viewer.page.waitForRequest((request) => request.resourceType() === "fetch" && /\/events\?.*last=/.test(request.url()));
  const reopened = viewer.page.waitForRequest((request) => request.resourceType() === "eventsource");
  await viewer.page.clock.runFor(7_000);
  await asked;
  await reopened;
  await viewer.part("note").filter({ hasText: /^$/ }).waitFor({ state: "attached" });
  assert.deepEqual(await viewer.texts(), ["waiting"]);
});

// In real time, because pings are: they keep the stream open, and are no news of the run.
promise("the silence of a run is reported", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("wait");
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.status("Running");
  await viewer.part("note").filter({ hasText: /^No update for 3\d s$/ }).waitFor({ timeout: 40_000 });
  assert.equal(await viewer.part("status").textContent(), "Running");
});

promise("a failed worker load is retried", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const { id } = await program.run("count", { total: 150, pause: 20 });
  const viewer = await open("about:blank", { of: program, shared: false, allowed: [/ERR_FAILED/] });
  let line = null, failed = 0;
  await viewer.page.route(/\/assets\/.*\.js/, async (route) => {
    const answer = await route.fetch();
    const { pathname } = new URL(route.request().url());
    if (/export *\{[^}]*openHub/.test(await answer.text())) line = pathname;
    if (pathname !== line || failed === 2) return route.fulfill({ response: answer });
    failed += 1;
    return route.abort();
  });
  await viewer.page.goto(`${program.url}runs/${id}`);
  await reconnecting(viewer);
  await program.release("count");
  await viewer.status("Succeeded");
  assert.equal(failed, 2);
  assert.deepEqual(await viewer.lines(), upTo(150));
});

promise("the page is live again after sleep", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("wait");
  const viewer = await open("about:blank", { of: program, shared: false });
  await viewer.page.clock.install();
  await viewer.page.goto(`${program.url}runs/${id}`);
  await viewer.page.locator("[data-seq='1']").waitFor();
  while (streams(viewer) < 1) await new Promise((wake) => { setTimeout(wake, 50); });
  // The clock jumps, as it does when a machine wakes up: no timer fires more than once. Nothing has been heard since.
  const reopened = viewer.page.waitForRequest(/\/events\?.*last=/);
  await viewer.page.clock.fastForward("01:00:00");
  await reopened;
  await viewer.page.getByRole("button", { name: "Cancel" }).click();
  await viewer.status("Cancelled");
  const kept = await program.log(id);
  assert.deepEqual((await viewer.texts()).map((text) => text.replace(/^Warning /, "")), kept);
});

promise("the back button restores a live page", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const { id } = await program.run("count", { total: 80, pause: 50 });
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.percent(10);
  await viewer.page.evaluate(() => { window.isTheSame = true; });
  await viewer.page.goto(`${program.url}runs`);
  // The browser has kept the page: Playwright would wait for a load that never comes.
  await viewer.page.evaluate(() => setTimeout(() => history.back()));
  await viewer.page.waitForFunction(() => window.isTheSame);
  await program.release("count");
  await viewer.percent(60);
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.lines(), upTo(80));
});

promise("a bad network loses no log line", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const line = await use(openLine(program, { delay: 150 }));
  const { id } = await program.run("count", { total: 500, pause: 20 });
  const viewer = await open(`${line.url}runs/${id}`, { allowed: [...refused, /status of 502/] });
  await viewer.percent(5);
  for (const turn of [1, 2]) {
    await line.cut();
    await line.mend();
    await viewer.percent(15 * turn);
    line.turnBad();
    await reconnecting(viewer);
    line.turnGood();
    await viewer.percent(20 * turn);
  }
  await program.release("count");
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.texts(), upTo(500).map((number) => `line ${number}`));
});

promise("no request follows the end", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 150, pause: 20 });
  const viewer = await open(`${line.url}runs/${id}`);
  await viewer.status("Succeeded");
  // The page itself is requested once more, for the outcome.
  await viewer.part("outcome").filter({ hasText: /\S/ }).waitFor();
  const before = line.requests.length;
  // A browser's own reconnect would come two seconds later, as the stream asks it to.
  await new Promise((wake) => { setTimeout(wake, 3_000); });
  assert.deepEqual(line.requests.slice(before), []);
  assert.equal(line.open(), 0);
  await viewer.page.reload();
  assert.equal(line.asked().length, 1, "an ended run has a stream");
});
