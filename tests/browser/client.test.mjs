// The JavaScript client: it follows runs across reconnects, and starts and controls them.

import assert from "node:assert/strict";

import { openOwn } from "./own.mjs";
import { fixtures, openLine } from "./servers.mjs";
import { promise, upTo } from "./viewers.mjs";

const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });
const at = ({ id }) => `/runs/${id}`;
const blank = (open, program, options) => openOwn(open, program, "<p>Ours</p>", { head: "", ...options });

/** Connects, and keeps as `run` the connection and in `told` each event with its detail; gives what it is before it heard anything. */
const connect = ({ page }, address, options) => page.evaluate(async ([address, options]) => {
  const { connect } = await import("/assets/client.js");
  const run = window.run = connect(address, options);
  window.told = [];
  for (const name of ["snapshot", "progress", "log", "end", "gone", "connection"]) {
    run.addEventListener(name, ({ type, detail }) => window.told.push({ type, detail }));
  }
  window.state = () => ({
    id: run.id, address: run.address, isLost: run.isLost, isOver: run.isOver, background: run.background, status: run.run?.status ?? null,
  });
  return window.state();
}, [address, options]);
const told = async ({ page }, type) => (await page.evaluate(() => window.told)).filter((one) => one.type === type).map(({ detail }) => detail);
const hears = ({ page }, type, least = 1) =>
  page.waitForFunction(([type, least]) => window.told.filter((one) => one.type === type).length >= least, [type, least]);
const state = ({ page }) => page.evaluate(() => window.state());
/** The numbers of all lines that were told, in the order they came. */
const lines = async (viewer) => [
  ...(await told(viewer, "snapshot")).flatMap(({ log }) => log?.lines ?? []), ...await told(viewer, "log"),
].map(({ seq }) => seq).sort((one, other) => one - other);

/** Starts from the page: what `start` gives, or what it rejects with. */
const start = ({ page }, address, input, options) => page.evaluate(async ([address, input, options]) => {
  const { start } = await import("/assets/client.js");
  return start(address, input, options).then(
    (run) => ({ id: run.id, status: run.run.status, isOver: run.isOver }),
    ({ message, status, errors }) => ({ message, status, errors }),
  );
}, [address, input, options]);

promise("connect follows a run without an element", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const run = await program.run("count", { total: 200, pause: 20 });
  const viewer = await blank(open, program);
  assert.deepEqual(await connect(viewer, at(run)), {
    id: run.id, address: new URL(at(run), program.url).href, isLost: false, isOver: false, background: false, status: null,
  });
  await hears(viewer, "snapshot");
  await program.release("count");
  await hears(viewer, "end");
  const [{ run: whole }] = await told(viewer, "snapshot");
  assert.equal(whole.process, "count");
  const percents = (await told(viewer, "progress")).map(({ percent }) => percent);
  assert.ok(percents.length > 5);
  assert.deepEqual(percents, percents.toSorted((one, other) => one - other));
  assert.deepEqual(await lines(viewer), upTo(200));
  const [end] = await told(viewer, "end");
  assert.deepEqual([end.status, end.result.total, end.title], ["succeeded", 200, "Counting"]);
  assert.deepEqual((await state(viewer)).isOver, true);
});

promise("the client reconnects without losing log lines", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const line = await use(openLine(program));
  const viewer = await blank(open, line, { allowed: [/Failed to load|net::/] });
  await connect(viewer, at(await program.run("count", { total: 600, pause: 20 })));
  await hears(viewer, "snapshot");
  await program.release("count");
  await hears(viewer, "log", 20);
  await line.cut();
  await hears(viewer, "connection");
  assert.equal((await state(viewer)).isLost, true);
  await pause(500);
  await line.mend();
  await hears(viewer, "connection", 2);
  assert.equal((await state(viewer)).isLost, false);
  await hears(viewer, "end");
  assert.deepEqual(await told(viewer, "connection"), [true, false].map((lost) => ({ lost, signedOut: false, polling: false })));
  assert.ok((await told(viewer, "snapshot")).length > 1);
  assert.deepEqual(await lines(viewer), upTo(600));
});

promise("close disconnects and does not end the run", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const run = await program.run("count", { total: 100_000, pause: 20 });
  const viewer = await blank(open, line);
  await connect(viewer, at(run), { log: false });
  await hears(viewer, "progress");
  assert.deepEqual(line.asked().at(-1).searchParams.getAll("progress"), [run.id]);
  await viewer.page.evaluate(() => window.run.close());
  while (line.open() > 0) await pause(20);
  const many = await viewer.page.evaluate(() => window.told.length);
  const { current: before } = await program.json(at(run));
  await program.until(run.id, ({ current }) => current > before + 50);
  assert.equal(await viewer.page.evaluate(() => window.told.length), many);
  assert.deepEqual([...await told(viewer, "log"), (await told(viewer, "snapshot"))[0].log], [undefined]);
});

promise("snapshot and background options of the client work", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const ended = await program.until((await program.run("count", { total: 2 })).id, ({ status }) => status === "succeeded");
  const viewer = await blank(open, line, { shared: false });
  await connect(viewer, at(ended), { run: ended });
  assert.deepEqual((({ isOver, status }) => [isOver, status])(await state(viewer)), [true, "succeeded"]);
  await pause(300);
  assert.deepEqual(line.asked(), []);
  const run = await program.run("count", { total: 100_000, pause: 20 });
  const hide = () => viewer.page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await connect(viewer, at(run), { background: true });
  await hears(viewer, "progress");
  await hide();
  const before = (await told(viewer, "progress")).length;
  await hears(viewer, "progress", before + 5);
  assert.equal(line.open(), 1);
});

promise("client controls reject with the server's message", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await blank(open, program, { allowed: [/409/] });
  await connect(viewer, at(await program.run("tells", { items: 6, hold: 5 })));
  await viewer.page.waitForFunction(() => window.run.run?.status === "running");
  const call = (name, ...rest) => viewer.page.evaluate(([name, rest]) =>
    window.run[name](...rest).then(() => "done", ({ message, status }) => ({ message, status })), [name, rest]);
  assert.equal(await call("pause"), "done");
  await viewer.page.waitForFunction(() => window.run.run.status === "paused");
  assert.equal(await call("resume"), "done");
  await hears(viewer, "end");
  const { status, message } = await call("pause");
  assert.equal(status, 409);
  assert.match(message, /the run has already ended/);
  await connect(viewer, at(await program.run("deaf", { milliseconds: 600_000 })));
  await viewer.page.waitForFunction(() => window.run.run?.status === "running");
  assert.equal(await call("cancel", { force: true }), "done");
  await hears(viewer, "end");
});

promise("an invalid address throws; a missing run is gone", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await blank(open, program, { allowed: [/404/] });
  const thrown = await viewer.page.evaluate(async () => {
    const { connect } = await import("/assets/client.js");
    try {
      connect("/count");
    } catch ({ name, message }) {
      return [name, message];
    }
  });
  assert.deepEqual(thrown, ["TypeError", '"/count" is not the address of a run, such as /processes/runs/{id}']);
  await connect(viewer, "/runs/01890a5d-ac96-774b-bcce-b302099a8057");
  await hears(viewer, "gone");
  assert.deepEqual(await told(viewer, "gone"), [null]);
  assert.equal((await state(viewer)).isOver, true);
});

promise("start supports idempotency keys and confirmation", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await blank(open, program, { allowed: [/428/] });
  const first = await start(viewer, "/count/show_progress", { total: 3 }, { key: "one" });
  assert.match(first.status, /queued|running|succeeded/);
  assert.equal((await start(viewer, "/count/start", { total: 3 }, { key: "one" })).id, first.id);
  assert.notEqual((await start(viewer, "/count", { total: 3 })).id, first.id);
  const asked = await start(viewer, "/erase", { what: "all" });
  assert.equal(asked.status, 428);
  assert.match(asked.message, /asks for confirmation/);
  const { id } = await start(viewer, "/erase", { what: "all" }, { confirmed: true });
  assert.equal((await program.json(`/runs/${id}`)).input.what, "all");
});

promise("a refused start rejects with field errors", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await blank(open, program, { allowed: [/422|404/] });
  const wrong = await start(viewer, "/choose", { percent: 101 });
  assert.equal(wrong.status, 422);
  assert.deepEqual(wrong.errors.map(({ field }) => field), ["percent"]);
  assert.match(wrong.errors[0].message, /100/);
  const nowhere = await start(viewer, "/nothing");
  assert.deepEqual([nowhere.status, nowhere.errors], [404, []]);
  assert.ok(nowhere.message.length > 5);
});
