// The page that documents the element and the client: it is complete, its examples are live, and it obeys its
// content security policy.

import assert from "node:assert/strict";

import { examine } from "./axe.mjs";
import { openOwn, typed } from "./own.mjs";
import { examples } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const live = ({ page }, name) => page.locator(`[data-example="${name}"]`);
const press = ({ page }, name) => page.getByRole("button", { name, exact: true }).click();
const follows = (viewer, name) => viewer.page.waitForFunction((name) =>
  [...document.querySelectorAll(`[data-example="${name}"] process-progress`)].every(({ run }) => run?.percent > 0), name);

promise("types, element, client and page agree", async ({ use, open }) => {
  const program = await use(examples());
  const types = await typed(program);
  for (const [what, names] of Object.entries(types)) assert.ok(typeof names === "string" || names.length > 1, what);
  const viewer = await openOwn(open, program, "<process-progress></process-progress>");
  // Each of these is looked for in what the browser has, and the other way round.
  const has = await viewer.page.evaluate(async () => {
    const { ProcessProgress, Connection, connect } = await import("/assets/process-progress.js");
    const source = await (await fetch("/assets/process-progress.js")).text();
    const own = (one) => Object.getOwnPropertyNames(one).filter((name) => name !== "constructor" && !name.endsWith("Callback"));
    const connection = connect(`/runs/${"0".repeat(8)}-0000-0000-0000-${"0".repeat(12)}`, { run: { status: "failed" } });
    const { shadowRoot } = document.querySelector("process-progress");
    return {
      source,
      element: own(ProcessProgress.prototype),
      connection: [...own(Connection.prototype), ...Object.keys(connection)],
      parts: [...shadowRoot.querySelectorAll("[part]")].map((one) => one.getAttribute("part")),
      slots: [...shadowRoot.querySelectorAll("slot")].map(({ name }) => name),
    };
  });
  assert.deepEqual(has.element.toSorted(), types.members.toSorted());
  for (const name of types.connection) assert.ok(has.connection.includes(name), name);
  assert.deepEqual([...has.parts.filter((name) => name !== "announcement"), "stage-bar"].toSorted(), types.parts.toSorted());
  for (const name of types.slots) assert.ok(has.slots.includes(name), name);
  // `compact` is for the style sheet alone.
  const read = new Set([...has.source.matchAll(/(?:[gh][ea][ts]Attribute\("|:host\(\[)([\w-]+)/g)].map(([, name]) => name));
  for (const name of types.attributes) assert.ok(read.has(name), name);
  const spent = new Set([...has.source.matchAll(/var\((--process-[\w-]+)/g)].map(([, name]) => name));
  assert.deepEqual([...spent].toSorted(), types.properties.toSorted());

  const page = await open(`${program.url}elements`);
  const named = async (section) => new Set((await page.page.locator(`#${section} dt code`).allTextContents())
    .map((text) => text.replace(/\(.*/, "")));
  const sections = {
    attributes: types.attributes, slots: types.slots, members: types.members, style: [...types.parts, ...types.properties],
    events: types.heard, client: [...types.connection, ...types.options, ...types.events, "key", "confirmed"],
  };
  for (const [section, names] of Object.entries(sections)) {
    const there = await named(section);
    if (section === "slots") there.delete("data-part");
    assert.deepEqual([...there].toSorted(), [...new Set(names)].toSorted(), section);
  }
});

promise("every example is live and shows its source", async ({ use, open }) => {
  const program = await use(examples({ pace: 20 }));
  const viewer = await open(`${program.url}elements`, { allowed: [/status of 409|status of 422/] });
  const { page } = viewer;
  const source = (name) => live(viewer, name).locator("xpath=..").locator("pre").textContent();
  assert.match(await source("default"), /^<process-progress src="\/runs\/\{id\}">\n {2}<progress>Working…<\/progress>\n<\/process-progress>$/);
  await press(viewer, "Start a backup");
  await press(viewer, "Start two runs");
  await press(viewer, "Start a long run");
  await press(viewer, "Start a run in both");
  await press(viewer, "Start a run that logs");
  await press(viewer, "Start an import");
  for (const button of await page.getByRole("button", { name: "Start a run", exact: true }).all()) await button.click();
  for (const name of ["default", "stages", "compact", "controls", "style", "slots", "members", "events"]) await follows(viewer, name);
  const { id } = await live(viewer, "default").locator("process-progress").evaluate(({ run }) => run);
  assert.ok((await source("default")).includes(`src="/runs/${id}"`));
  const runs = await live(viewer, "compact").locator("process-progress").evaluateAll((all) => all.map(({ run }) => run.id));
  assert.notEqual(runs[0], runs[1]);
  await live(viewer, "controls").getByRole("button", { name: "Cancel" }).click();
  await live(viewer, "controls").getByText("Cancelled", { exact: true }).waitFor();
  await press(viewer, "Take a snapshot");
  await live(viewer, "snapshot").getByText("Tick like a metronome").waitFor();
  await live(viewer, "slots").getByText(/Our nightly tick: \d+ %/).waitFor();
  await press(viewer, "Stop it");
  await live(viewer, "slots").getByText("Cancelled", { exact: true }).waitFor();
  await press(viewer, "pause()");
  await page.locator("#status", { hasText: "paused" }).waitFor();
  await press(viewer, "resume()");
  await page.locator("#status", { hasText: "running" }).waitFor();
  await page.locator("#heard", { hasText: "process-end: succeeded" }).waitFor();
  assert.equal(await page.locator("#heard li", { hasText: "process-log" }).count() > 10, true);
});

promise("the client examples start and follow runs", async ({ use, open }) => {
  const program = await use(examples({ pace: 2 }));
  const viewer = await open(`${program.url}elements`, { allowed: [/status of 422/] });
  const { page } = viewer;
  await page.locator("[data-file]", { hasText: 'from "/assets/client.js"' }).waitFor();
  await page.getByLabel("Length of a line").fill("100000");
  await press(viewer, "Start and connect");
  await page.getByRole("alert").getByText(/bytes/).waitFor();
  await page.getByLabel("Length of a line").fill("48");
  await press(viewer, "Start and connect");
  await page.locator("#figure", { hasText: "succeeded: 40 ticks" }).waitFor();
  assert.equal(await page.locator("#tail li").count(), 40);
  await press(viewer, "Start with EventSource");
  await page.waitForFunction(() => document.querySelector("#plain-bar").value === 100);
});

promise("the elements page passes axe and fits phones", async ({ use, open }) => {
  const program = await use(examples({ pace: 5 }));
  const viewer = await open(`${program.url}elements`);
  for (const button of await viewer.page.locator("[data-start]").all()) await button.click();
  await follows(viewer, "default");
  await press(viewer, "Take a snapshot");
  await examine(viewer);
  await viewer.page.setViewportSize({ width: 390, height: 800 });
  assert.ok(await viewer.page.evaluate(() => document.documentElement.scrollWidth) <= 390);
});
