// Every end of a run has a clear text on its page.

import assert from "node:assert/strict";

import { examine } from "./axe.mjs";
import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

async function ended({ use, open }, route, status) {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}${route}/show_progress`);
  const id = await viewer.start();
  await viewer.status(status);
  // The reason of a failure leads the page; what else came of a run is below its bar.
  const outcome = viewer.part(status === "Failed" ? "failure" : "outcome").filter({ hasText: /\S/ });
  return { program, viewer, id, outcome: await outcome.innerText() };
}

for (const width of [390, 1280]) {
  promise(`a failure leads its page at ${width} px`, async ({ use, open }) => {
    const program = await use(fixtures());
    const viewer = await open(`${program.url}fails-for-a-reason/show_progress`, { viewport: { width, height: 800 } });
    await viewer.start();
    await viewer.status("Failed");
    const failure = viewer.part("failure").filter({ hasText: /\S/ });
    const shown = () => failure.innerText();
    const live = await shown();
    const [status, ...rest] = live.split("\n").map((line) => line.trim()).filter(Boolean);
    assert.deepEqual([status, ...rest.slice(0, 5)], ["Failed", "the catalog was not read", "Caused by",
      "no connection to db.internal", "connection refused", "In stage 2 of 3 · Connect"]);
    const lines = failure.locator(".lines li > span");
    assert.deepEqual(await lines.allTextContents(), ["reading", "connecting to db.internal"]);
    await viewer.page.reload();
    assert.equal(await shown(), live, "live and reloaded");

    const top = async (selector) => (await viewer.page.locator(selector).first().boundingBox()).y;
    const message = await top(".failure .message");
    assert.ok(message < 400, `the message is at ${message}`);
    for (const below of [".actions", ".stages"]) assert.ok(message < await top(below), below);
    // On a wide page the log is beside it, with its end in sight.
    if (width < 1000) assert.ok(message < await top(".failure .lines") && message < await top(".log"));
    else assert.ok(await top("[data-part=log] li:last-child") < 800);
    assert.equal(await viewer.part("percent").textContent(), "33 %", "one of three stages was done");
    const colours = await viewer.page.locator(".stages progress").evaluateAll((bars) => bars.map((bar) => getComputedStyle(bar).color));
    assert.notEqual(colours[0], colours[1], "the first stage has succeeded");
    assert.equal(await viewer.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    await examine(viewer);
  });
}

promise("colours of tools are shown, live and reloaded", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("speaks-like-a-tool");
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.status("Failed");
  const log = viewer.part("log");
  const seen = async () => [await log.locator("li > span").allInnerTexts(),
    await log.locator("li > span span").evaluateAll((spans) => spans.map((span) => [span.textContent, span.className]))];
  const live = await seen();
  assert.deepEqual(live[1].slice(0, 4), [["ERROR", "red"], ["error", "bold red"], [": expected `;`", "bold"], ["ok", "green"]]);
  assert.ok(live[0].includes("30%") && live[0].includes("usertxt.exe x"), live[0].join("\n"));
  const colour = (name) => log.locator(`span.${name}`).first().evaluate((span) => getComputedStyle(span).color);
  assert.notEqual(await colour("red"), await colour("green"));
  await viewer.page.reload();
  assert.deepEqual(await seen(), live);
  assert.equal(await viewer.page.title(), "Failed · Build");
  await examine(viewer);
});

promise("a panic message stays on the server", async (means) => {
  const { viewer, id, outcome } = await ended(means, "panics", "Failed");
  assert.match(outcome, /^Failed\n+the process panicked\n/);
  assert.ok(outcome.includes(id));
  await viewer.logged(["before", "Error the process panicked"]);
  assert.ok(!(await viewer.page.content()).includes("secret"));
});

promise("an error shows its message and run ID", async (means) => {
  const { viewer, id, outcome } = await ended(means, "fails", "Failed");
  assert.match(outcome, /^Failed\n+the disk is <b>full<\/b>\n/);
  assert.ok(outcome.includes(id));
  assert.equal(await viewer.page.title(), "Failed · Failing");
});

promise("end_process ends the run as succeeded", async (means) => {
  const { viewer } = await ended(means, "ends-early", "Succeeded");
  assert.deepEqual(await viewer.result(), { Message: "enough", Total: "40" });
  await viewer.logged(["cleaned up"]);
  assert.equal(await viewer.part("percent").textContent(), "100 %");
});

promise("a process without result shows No result", async (means) => {
  const { viewer, outcome } = await ended(means, "says-nothing", "Succeeded");
  assert.match(outcome, /No result\./);
  assert.ok(await viewer.page.getByText("No log lines.").isVisible());
});
