// The index: its active runs are live, all of them on one stream.

import assert from "node:assert/strict";

import { examine } from "./axe.mjs";
import { fixtures, openLine } from "./servers.mjs";
import { climbs, promise } from "./viewers.mjs";

const refused = [/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED/];
const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });

const rowOf = ({ page }, title) => page.locator(".cards li").filter({ has: page.getByRole("link", { name: title, exact: true }) });
const says = (row, words) => row.locator(".status").filter({ hasText: new RegExp(`^${words}$`) }).waitFor();

/** Waits until the bar of a process's row is at least so full. */
async function fills(viewer, title, least) {
  const bar = await rowOf(viewer, title).locator("progress").elementHandle();
  await viewer.page.waitForFunction(([bar, least]) => bar.value >= least, [bar, least]);
}

/** Two processes at work, the second for longer, and one that has run. */
async function atWork(program) {
  const done = await program.run("says-nothing");
  await program.until(done.id, ({ status }) => status === "succeeded");
  const short = await program.run("count", { total: 250, pause: 20 });
  const long = await program.run("tally", { folder: program.data, items: 500, pause: 20 });
  await program.until(long.id, ({ percent }) => percent > 0);
  return { done, short, long };
}

promise("the index updates all runs on one stream", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count", "tally");
  const line = await use(openLine(program));
  const { short, long } = await atWork(program);
  const viewer = await open(line.url);
  const [counting, tallying, silent] = ["Counting", "Tallying", "Silent"].map((title) => rowOf(viewer, title));
  const finished = await silent.innerText();
  const height = (await counting.boundingBox()).height;
  await viewer.page.evaluate(() => {
    const bar = [...document.querySelectorAll(".cards li")].find((row) => row.textContent.includes("Tallying")).querySelector("progress");
    window.values = [bar.value];
    new MutationObserver(() => window.values.push(bar.value)).observe(bar, { attributes: true, attributeFilter: ["value"] });
  });
  await Promise.all([fills(viewer, "Counting", 50), fills(viewer, "Tallying", 25)]);
  assert.match(await counting.locator('[data-part="percent"]').textContent(), /^\d\d %$/);
  assert.match(await tallying.getByRole("progressbar").getAttribute("aria-valuetext"), /^\d\d %, \d+ of 500/);
  await program.release("count");
  await says(counting, "Succeeded");
  assert.equal(await counting.getByRole("progressbar").count(), 0);
  assert.match(await counting.locator("time").textContent(), /^\w{3} \d+, \d{4}, \d+:\d\d:\d\d [AP]M$/);
  assert.equal((await counting.boundingBox()).height, height);
  await viewer.part("announcement").filter({ hasText: "Succeeded: Counting" }).waitFor({ state: "attached" });
  await says(tallying, "Running");
  assert.ok(await viewer.page.evaluate(() => window.values.at(-1) < 100), "it was over at once");
  await program.release("tally");
  await says(tallying, "Succeeded");
  const values = await viewer.page.evaluate(() => window.values);
  assert.ok(values.length >= 10 && climbs(values) && values.at(-1) === 100, `${values}`);
  // From here on it only looks, once in five seconds, whether something was started elsewhere.
  const before = line.requests.length;
  await pause(3_000);
  const asked = line.requests.slice(before);
  assert.ok(asked.length <= 2 && asked.every(({ path }) => path === "/"), JSON.stringify(asked));
  while (line.open() > 0) await pause(20);
  assert.deepEqual(line.asked().map(({ pathname, search }) => pathname + search), [`/events?progress=${short.id}&progress=${long.id}`]);
  assert.equal(viewer.documents(), 1);
  assert.equal(await silent.innerText(), finished);
  // Figures that grow are set to the right.
  const { shift, moved } = await viewer.page.evaluate(() => window.seen);
  assert.ok(shift < 0.001, `${shift}: ${moved}`);
  const shown = await Promise.all([counting, tallying].map((row) => row.locator(".latest").innerText()));
  await viewer.page.reload();
  assert.deepEqual(await Promise.all([counting, tallying].map((row) => row.locator(".latest").innerText())), shown);
  assert.equal(line.asked().length, 1, "nothing is active, and there is a stream");
});

promise("the index reconnects every run at its position", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("tally");
  const line = await use(openLine(program));
  const { short, long } = await atWork(program);
  const waiting = await program.run("wait");
  await program.until(waiting.id, ({ status }) => status === "running");
  const viewer = await open(line.url, { allowed: refused });
  await says(rowOf(viewer, "Counting"), "Succeeded");
  const over = await rowOf(viewer, "Counting").innerText();
  await line.cut();
  await viewer.part("note").filter({ hasText: "Reconnecting…" }).waitFor();
  await program.json(`/runs/${waiting.id}/cancel`, { method: "POST", headers: { accept: "application/json" } });
  const before = line.asked().length;
  await line.mend();
  await viewer.part("note").filter({ hasText: /^$/ }).waitFor({ state: "attached" });
  await says(rowOf(viewer, "Waiting"), "Cancelled");
  await program.release("tally");
  await says(rowOf(viewer, "Tallying"), "Succeeded");
  assert.equal(await rowOf(viewer, "Counting").innerText(), over);
  // A list that has learnt first how one of them ended asks for the other alone.
  const again = line.asked()[before].searchParams, asked = again.getAll("progress");
  assert.ok(asked.includes(long.id) && asked.every((id) => [long.id, waiting.id].includes(id)), `${again}`);
  assert.equal(again.getAll("last").length, asked.length);
  assert.equal(viewer.documents(), 1);
});

promise("the index reports a removed run", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("tally");
  const { short, long } = await atWork(program);
  const line = await use(openLine(program));
  const viewer = await open("about:blank", { of: line });
  // The page as it would be of a run that was removed a moment later.
  const nobody = "0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f";
  await viewer.page.route(line.url, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replaceAll(short.id, nobody) });
  });
  await viewer.page.goto(line.url);
  await rowOf(viewer, "Counting").getByText("This run was removed").waitFor();
  await fills(viewer, "Tallying", 30);
  assert.deepEqual(line.asked()[0].searchParams.getAll("progress"), [nobody, long.id]);
});

promise("the index is complete without JavaScript", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const { short } = await atWork(program);
  await program.until(short.id, ({ percent }) => percent >= 20);
  const viewer = await open(program.url, { javaScriptEnabled: false });
  const counting = rowOf(viewer, "Counting");
  await says(counting, "Running");
  assert.ok(Number(await counting.locator("progress").getAttribute("value")) >= 20);
  assert.match(await counting.locator('[data-part="percent"]').textContent(), /^\d\d %$/);
  await program.release("count");
  await program.until(short.id, ({ status }) => status === "succeeded");
  await viewer.page.getByRole("link", { name: "Reload" }).click();
  await says(counting, "Succeeded");
  assert.equal(viewer.requests.filter(({ type }) => type === "script").length, 0);
});

promise("an index with runs in all states passes axe", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.run("count", { total: 100_000, pause: 20 });
  await program.run("wait");
  const viewer = await open(program.url);
  await fills(viewer, "Counting", 0.01);
  await examine(viewer);
});

promise("the index shows runs started elsewhere", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const viewer = await open(program.url);
  await rowOf(viewer, "Counting").getByText("No runs yet").waitFor();
  await program.run("count", { total: 100, pause: 20 });
  await fills(viewer, "Counting", 10);
  await program.release("count");
  await says(rowOf(viewer, "Counting"), "Succeeded");
  assert.equal(viewer.documents(), 1);
});

promise("index search works with and without JavaScript", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(program.url);
  const rows = viewer.page.locator(".cards li:visible");
  const all = await rows.count();
  await viewer.page.keyboard.press("/");
  await viewer.page.keyboard.type("COUNTS to");
  await rowOf(viewer, "Counting").waitFor();
  const found = await rows.allInnerTexts();
  assert.ok(found.length < all && found.every((text) => /counts to/i.test(text)), found.join("|"));
  await viewer.page.keyboard.type(" nothing like it");
  await viewer.page.getByText("No processes match.").waitFor();
  const plain = await open(`${program.url}?q=counts+to`, { javaScriptEnabled: false });
  assert.equal(await plain.page.locator(".cards li:visible").count(), found.length);
});
