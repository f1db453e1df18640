// <process-progress> in other pages: every attribute, property, method, event, part, slot and custom property works
// as its type says.

import assert from "node:assert/strict";

import { element, ELEMENT, openOwn, partOf, says, typed } from "./own.mjs";
import { fixtures, openLine } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });
const NOBODY = "/runs/01890a5d-ac96-774b-bcce-b302099a8057";
const at = ({ id }) => `/runs/${id}`;
const long = (program) => program.run("count", { total: 100_000, pause: 20 });
const tag = (run, attributes = "", inside = "<progress>Working…</progress>") =>
  `<process-progress src="${at(run)}" ${attributes}>${inside}</process-progress>`;
const text = (viewer, name) => partOf(viewer, name).textContent();

/** Has the page note what it hears of all its elements, from the document: events bubble. */
const listening = (page) => page.addInitScript(() => {
  window.heard = [];
  for (const name of ["snapshot", "progress", "log", "end", "gone", "connection", "shown"]) {
    document.addEventListener(`process-${name}`, ({ type, detail, target }) => {
      window.heard.push({ type, detail, of: target.localName, at: target.id });
    });
  }
});
const heard = ({ page }) => page.evaluate(() => window.heard);
const hears = ({ page }, type, least = 1) =>
  page.waitForFunction(([type, least]) => window.heard.filter((one) => one.type === type).length >= least, [type, least]);

promise("src alone shows a live run", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const run = await program.run("count", { total: 300, pause: 20 });
  const viewer = await openOwn(open, program, tag(run));
  await says(viewer, "text", /^Step \d+$/);
  assert.equal(await text(viewer, "title"), "Counting");
  assert.equal(await text(viewer, "status"), "Running");
  assert.match(await text(viewer, "percent"), /^\d+ %$/);
  assert.match(await text(viewer, "count"), /^\d+ of 300$/);
  assert.match(await text(viewer, "took"), /Running for/);
  const bar = partOf(viewer, "bar"), value = await bar.evaluate((one) => one.value);
  await program.release("count");
  await viewer.page.waitForFunction((value) => document.querySelector("process-progress").run.percent > value, value + 5);
  assert.match(await bar.getAttribute("aria-valuetext"), /^\d+ %, \d+ of 300/);
  assert.equal(await bar.getAttribute("aria-label"), "Progress");
  await says(viewer, "status", "Succeeded");
  assert.equal(await text(viewer, "percent"), "100 %");
  assert.equal(await bar.evaluate((one) => one.value), 100);
  assert.match(await text(viewer, "after"), /\d/);
  assert.equal(await text(viewer, "left") + await text(viewer, "rate"), "");
});

promise("the element shows stages and counts", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await openOwn(open, program, tag(await program.run("tells", { items: 6, hold: 5 })));
  await says(viewer, "stage", "Writing");
  assert.equal(await partOf(viewer, "stage-bar").count(), 2);
  await says(viewer, "counts", "imported");
  assert.ok(await partOf(viewer, "stages").isVisible());
});

promise("fallback content shows until the element loads", async ({ use, open }) => {
  const program = await use(fixtures());
  const run = await long(program);
  const inside = ({ page }) => page.locator("process-progress > progress");
  assert.ok(await inside(await openOwn(open, program, tag(run), { javaScriptEnabled: false })).isVisible());
  const viewer = await openOwn(open, program, tag(run), { head: "" });
  assert.ok(await inside(viewer).isVisible());
  await viewer.page.evaluate(() => import("/assets/process-progress.js"));
  await says(viewer, "status", "Running");
  assert.ok(await inside(viewer).isHidden());
  await element(viewer).evaluate((one) => { one.hidden = true; });
  assert.ok(await element(viewer).isHidden(), "hidden does not hide it");
});

promise("changing src replaces the run", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const [first, second] = [await program.run("tells", { items: 6, hold: 5 }), await program.run("wait")];
  const json = JSON.stringify(await program.json(at(first))).replaceAll('"', "&quot;");
  const viewer = await openOwn(open, line, tag(first, `controls log snapshot="${json}"`), { before: listening });
  await says(viewer, "counts", "imported");
  await element(viewer).evaluate((one) => one.cancel());
  await says(viewer, "status", "Cancelled");
  const then = await element(viewer).evaluate((one, src) => {
    one.src = src;
    return [one.getAttribute("src"), one.src, one.run];
  }, at(second));
  assert.deepEqual(then, [at(second), at(second), null]);
  for (const name of ["counts", "stages"]) assert.ok(await partOf(viewer, name).isHidden(), name);
  await says(viewer, "title", "Waiting");
  await says(viewer, "status", "Running");
  assert.equal(await text(viewer, "after"), "");
  assert.equal(await text(viewer, "note"), "");
  await says(viewer, "cancel-button", /^Cancel$/);
  assert.ok(await partOf(viewer, "cancel-button").isEnabled());
  // Also while it is not on the page.
  await element(viewer).evaluate((one, src) => {
    const { parentNode } = one;
    one.remove();
    one.src = src;
    parentNode.append(one);
  }, NOBODY);
  await says(viewer, "note", "This run was removed");
  assert.equal(await text(viewer, "title"), "");
  await element(viewer).evaluate((one) => one.removeAttribute("src"));
  assert.equal(await element(viewer).evaluate((one) => one.connection), null);
  const asked = line.asked().length;
  await pause(2_000);
  assert.equal(line.asked().length, asked, "a run that is gone is asked for");
  // The line that all share is not dead for the others.
  await element(viewer).evaluate((one, src) => { one.src = src; }, at(second));
  await says(viewer, "status", "Running");
});

promise("a removed element disconnects and reconnects", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const viewer = await openOwn(open, line, tag(await long(program)));
  await says(viewer, "text", /Step/);
  assert.equal(line.open(), 1);
  await viewer.page.evaluate(() => {
    window.taken = document.querySelector("process-progress");
    window.taken.remove();
  });
  while (line.open() > 0) await pause(20);
  const before = await viewer.page.evaluate(() => window.taken.run.percent);
  await viewer.page.evaluate(() => document.querySelector("main").append(window.taken));
  await viewer.page.waitForFunction((before) => window.taken.run.percent > before, before);
  assert.equal(line.open(), 1);
});

for (const shared of [true, false]) {
  promise(`elements and clients of one run have one stream${shared ? "" : ", also without a shared worker"}`, async ({ use, open }) => {
    const program = await use(fixtures());
    const line = await use(openLine(program));
    const run = await long(program);
    const both = `${ELEMENT}<script type="module" src="/assets/client.js"></script>`;
    const viewer = await openOwn(open, line, tag(run) + tag(run, "compact silent log"), { head: both, shared });
    await viewer.page.waitForFunction(() => [...document.querySelectorAll("process-progress")].every(({ run }) => run?.percent > 0));
    // The client is another file, which two of our files on a page must not mind.
    if (shared) {
      await viewer.page.evaluate(async (address) => {
        const { connect } = await import("/assets/client.js");
        const run = connect(address);
        await new Promise((hear) => { run.addEventListener("progress", hear, { once: true }); });
      }, at(run));
    }
    assert.equal(line.open(), 1);
  });
}

promise("controls shows Cancel while a run is active", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await openOwn(open, program, tag(await program.run("wait"), "controls"));
  const button = partOf(viewer, "cancel-button");
  await button.filter({ hasText: /^Cancel$/ }).waitFor();
  const pressed = await button.evaluate((one) => {
    one.click();
    return [one.textContent, one.disabled];
  });
  assert.deepEqual(pressed, ["Cancelling…", true]);
  await says(viewer, "status", "Cancelled");
  await button.waitFor({ state: "hidden" });
  const without = await openOwn(open, program, tag(await program.run("wait")));
  await says(without, "status", "Running");
  assert.ok(await partOf(without, "cancel-button").isHidden());
});

promise("compact, link and silent attributes work", async ({ use, open }) => {
  const program = await use(fixtures());
  const run = await long(program);
  const viewer = await openOwn(open, program, tag(run, "compact link silent"));
  await says(viewer, "status", "Running");
  for (const name of ["state", "percent", "bar"]) assert.ok(await partOf(viewer, name).isVisible(), name);
  for (const name of ["title", "text", "foot"]) assert.ok(await partOf(viewer, name).isHidden(), name);
  assert.ok((await element(viewer).boundingBox()).height < 80);
  const loud = await openOwn(open, program, tag(run));
  await loud.page.locator("process-progress [role=status]", { hasText: "Counting" }).waitFor({ state: "attached" });
  assert.equal(await partOf(loud, "state").getAttribute("href"), null);
  assert.equal(await viewer.page.locator("process-progress [role=status]").textContent(), "");
  await viewer.page.route(`${program.url.replace(/\/$/, "")}${at(run)}`, (route) => route.fulfill({ contentType: "text/html", body: "<title>The run</title>" }));
  await partOf(viewer, "state").click();
  await viewer.page.waitForURL(`**${at(run)}`);
});

promise("snapshot and position avoid repeated requests", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const ended = await program.until((await program.run("count", { total: 3 })).id, ({ status }) => status === "succeeded");
  const attribute = (run) => `snapshot="${JSON.stringify(run).replaceAll('"', "&quot;")}"`;
  const viewer = await openOwn(open, line, tag(ended, attribute(ended)));
  await says(viewer, "status", "Succeeded");
  await pause(500);
  assert.deepEqual(line.asked(), []);
  // Without src it stays as it is.
  const still = await openOwn(open, line, `<process-progress ${attribute({ ...ended, status: "paused", percent: 40 })}></process-progress>`);
  await says(still, "percent", "40 %");
  assert.equal(await text(still, "status"), "Paused");
  await program.hold("count");
  const running = await program.run("count", { total: 400, pause: 20 });
  const events = await fetch(`${program.url}runs/${running.id}/events`);
  let told = "";
  for await (const piece of events.body.pipeThrough(new TextDecoderStream())) {
    told += piece;
    if (told.includes("line 20\"")) break;
  }
  const last = [...told.matchAll(/^event: log\ndata: .*"seq":(\d+).*\nid: ?(.*)$/gm)].at(-1);
  const later = await openOwn(open, line, tag(running, `log position="${last[2]}"`), { before: listening });
  await hears(later, "process-snapshot");
  await program.release("count");
  await hears(later, "process-log", 5);
  const [snapshot] = (await heard(later)).filter(({ type }) => type === "process-snapshot");
  assert.equal(snapshot.detail.log.after, Number(last[1]));
});

promise("element events match their types and bubble", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const run = await program.run("count", { total: 300, pause: 20 });
  const viewer = await openOwn(open, program, tag(run, "id=loud log") + tag(run, "id=plain"), { before: listening });
  await hears(viewer, "process-snapshot", 2);
  await program.release("count");
  await hears(viewer, "process-end", 2);
  const all = await heard(viewer), of = (type, at = "loud") => all.filter((one) => one.type === type && one.at === at).map(({ detail }) => detail);
  assert.ok(all.every((one) => one.of === "process-progress"));
  assert.ok(of("process-shown").length > 2 && of("process-shown").every((detail) => detail === null));
  const [{ run: whole, log }] = of("process-snapshot");
  assert.equal(whole.id, run.id);
  const lines = [...log.lines, ...of("process-log")];
  assert.deepEqual(lines.map(({ seq }) => seq), Array.from({ length: 300 }, (_, index) => index + 1));
  assert.equal(lines.at(-1).text, "line 300");
  assert.ok(of("process-progress").every(({ percent, title }) => percent >= 0 && title === "Counting"));
  assert.deepEqual(of("process-end").map(({ status, result }) => [status, result.total]), [["succeeded", 300]]);
  assert.equal(of("process-snapshot", "plain")[0].log, undefined);
  assert.deepEqual(of("process-log", "plain"), []);
});

promise("the element reconnects and reports a missing run", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const viewer = await openOwn(open, line, tag(await long(program)), { before: listening, allowed: [/Failed to load|net::/] });
  await says(viewer, "text", /Step/);
  await line.cut();
  await says(viewer, "note", /^Reconnecting… Last update at /);
  await line.mend();
  await hears(viewer, "process-connection", 2);
  await says(viewer, "note", /^$/);
  const lost = (await heard(viewer)).filter(({ type }) => type === "process-connection").map(({ detail }) => detail.lost);
  assert.deepEqual(lost, [true, false]);
  const nobody = await openOwn(open, program, tag({ id: NOBODY.split("/")[2] }), { before: listening });
  await says(nobody, "note", "This run was removed");
  const types = (await heard(nobody)).map(({ type }) => type).filter((type) => !/connection|shown/.test(type));
  assert.deepEqual(types, ["process-gone"]);
  assert.ok(await element(nobody).evaluate((one) => one.connection.isOver));
});

promise("a refused stream is retried until accepted", async ({ use, open }) => {
  const program = await use(fixtures());
  let refused = 0;
  const before = (page) => page.route(/\/events\?/, (route) => {
    refused += 1;
    return refused > 2 ? route.continue() : route.fulfill({ status: 404, body: "" });
  });
  const viewer = await openOwn(open, program, tag(await long(program)), { before, shared: false, allowed: [/404/] });
  await says(viewer, "note", /^Reconnecting… Last update at /);
  await says(viewer, "text", /Step/);
});

promise("an invalid src is a clear error", async ({ use, open }) => {
  const program = await use(fixtures());
  const allowed = [/"\/count" is not the address of a run, such as \/processes\/runs\/\{id\}/];
  const viewer = await openOwn(open, program, '<process-progress src="/count"></process-progress>', { allowed });
  await viewer.page.waitForFunction(() => customElements.get("process-progress"));
  await pause(100);
  assert.equal(viewer.complaints.length, 1);
  await element(viewer).evaluate((one, src) => { one.src = src; }, at(await program.run("wait")));
  await says(viewer, "status", "Running");
});

promise("element controls report refusals", async ({ use, open }) => {
  const program = await use(fixtures());
  const call = (viewer, name) => element(viewer).evaluate((one, name) =>
    one[name]().then(() => "done", ({ message, status }) => ({ message, status })), name);
  const paused = await openOwn(open, program, tag(await program.run("tells", { items: 6, hold: 5 })), { allowed: [/409/] });
  await says(paused, "status", "Running");
  assert.equal(await call(paused, "pause"), "done");
  await says(paused, "status", "Paused");
  assert.equal(await call(paused, "resume"), "done");
  await paused.page.waitForFunction(() => document.querySelector("process-progress").run.status === "succeeded");
  const never = await openOwn(open, program, tag(await program.run("wait")), { allowed: [/409/] });
  await says(never, "status", "Running");
  const { message, status } = await call(never, "pause");
  assert.equal(status, 409);
  assert.equal(await text(never, "note"), message);
  const deaf = await openOwn(open, program, tag(await program.run("deaf", { milliseconds: 600_000 })));
  await says(deaf, "status", "Running");
  await call(deaf, "cancel");
  await says(deaf, "status", "Cancelling…");
  assert.equal(await call(deaf, "force"), "done");
  await says(deaf, "status", /^Cancelled|^Interrupted/);
});

promise("slots accept a custom title and actions", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const run = await program.run("count", { total: 100, pause: 20 });
  const plain = await openOwn(open, program, tag(run, "controls", '<b slot="title">Ours</b><a slot="actions" href="/">All</a>'));
  await says(plain, "text", /Step/);
  assert.equal(await plain.page.getByText("Ours").textContent(), "Ours");
  assert.equal(await partOf(plain, "title").count(), 0);
  assert.equal(await plain.page.getByRole("button").count(), 0);
  const inside = '<p slot="title">At <output data-part="percent"></output>: <i data-part="text"></i></p><progress slot="actions" data-part="bar" max="100"></progress>';
  const viewer = await openOwn(open, program, tag(run, "", inside));
  await says(viewer, "text", /Step/);
  await says(viewer, "percent", /^\d+ %$/);
  await program.release("count");
  await says(viewer, "status", "Succeeded");
  assert.deepEqual(await viewer.page.locator("process-progress > p").textContent(), "At 100 %: ", "what it was doing is over");
  assert.equal(await viewer.page.locator("process-progress > progress").evaluate((bar) => bar.value), 100);
});

promise("every part and custom property has an effect", async ({ use, open }) => {
  const program = await use(fixtures());
  const { parts, properties } = await typed(program);
  const seen = parts.map((name) => `process-progress::part(${name}) { --seen: ${name}; }`).join("\n");
  // Each property's place, and what it is there; of a run in this state.
  const places = {
    "--process-accent": ["running", "status", "color"],
    "--process-ink": ["running", "percent", "color"],
    "--process-soft": ["running", "facts", "color"],
    "--process-track": ["running", "bar", "backgroundColor"],
    "--process-good": ["succeeded", "status", "color"],
    "--process-warn": ["paused", "status", "color"],
    "--process-bad": ["failed", "status", "color"],
    "--process-bar-height": ["running", "bar", "height"],
    "--process-gap": ["running", "base", "rowGap"],
  };
  assert.deepEqual(Object.keys(places), properties);
  const colour = (index) => `rgb(${index + 1}, ${index + 2}, ${index + 3})`;
  const value = (name, index) => (/height|gap/.test(name) ? `${index + 30}px` : colour(index));
  const styled = properties.map((name, index) => `${name}: ${value(name, index)};`).join(" ");
  const snapshot = (status) => JSON.stringify({
    id: "x", title: "T", status, percent: 40, current: 4, total: 10, text: "t", elapsed_ms: 5, counts: { a: 1 }, warnings: 0,
    stage: { name: "B", index: 2, of: 3 }, stages: [{ name: "A", index: 1, of: 3, elapsed_ms: 5 }], error: null,
  }).replaceAll('"', "&quot;");
  const states = ["running", "succeeded", "paused", "failed"];
  const body = states.map((status) => `<process-progress class="${status}" snapshot="${snapshot(status)}"></process-progress>`).join("");
  const plain = await openOwn(open, program, body, { css: seen });
  const viewer = await openOwn(open, program, body, { css: `main { ${styled} }` });
  const look = ({ page }, status, part, what) => page.locator(`.${status} [part="${part}"]`).first().evaluate((one, what) => {
    const style = getComputedStyle(one);
    return style[what] ?? style.getPropertyValue(what);
  }, what);
  for (const name of parts) {
    const shown = await plain.page.locator(`.running [part="${name}"]`).first().evaluate((one) => getComputedStyle(one).getPropertyValue("--seen").trim());
    assert.equal(shown, name);
  }
  for (const [index, name] of properties.entries()) {
    const [status, part, what] = places[name];
    assert.equal(await look(viewer, status, part, what), value(name, index), name);
    assert.notEqual(await look(plain, status, part, what), value(name, index), name);
  }
});

promise("the element follows the page's color-scheme", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await openOwn(open, program, tag(await program.run("wait")), { css: ":root { color-scheme: dark; }" });
  const ink = () => element(viewer).evaluate((one) => getComputedStyle(one).color);
  const dark = await ink();
  await viewer.page.evaluate(() => { document.documentElement.style.colorScheme = "light"; });
  assert.notEqual(await ink(), dark);
});
