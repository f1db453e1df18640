// Hostile text from processes and people stays text. (Policy violations, page errors and third-party requests are
// checked after every test.)

import assert from "node:assert/strict";

import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const HOSTILE = "<img src=x onerror=alert(1)>";

promise("control characters and long lines are harmless", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}odd/odd-values/show_progress`);
  await viewer.start();
  await viewer.status("Succeeded");
  for (const when of ["live", "reloaded"]) {
    assert.match(await viewer.part("title").textContent(), /^A title\s/, when);
    const [first, second] = await viewer.texts();
    assert.match(first, /^one\ntwo\n\nid: forged\n\n and \n the end$/, when);
    assert.match(second, /^y{100,}/, when);
    assert.ok(second.length < 100_000, when);
    assert.equal(await viewer.part("status").textContent(), "Succeeded");
    await viewer.page.reload();
  }
  assert.ok(await viewer.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
});

promise("markup in errors, inputs and names stays text", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}writes-a-file/show_progress`);
  const name = `${HOSTILE}.txt`;
  await viewer.page.getByLabel("Name").fill(name);
  await viewer.start();
  await viewer.page.locator("article:is([data-status=succeeded], [data-status=failed])").waitFor();
  for (const path of [viewer.page.url(), `${program.url}runs`, `${program.url}writes-a-file/show_progress?name=${encodeURIComponent(HOSTILE)}`]) {
    await viewer.page.goto(path);
    assert.equal(await viewer.page.locator("main :is(img, script)").count(), 0, path);
  }
  assert.equal(await viewer.page.getByLabel("Name").inputValue(), HOSTILE);
  const failed = await open(`${program.url}fails/show_progress`);
  await failed.start();
  await failed.status("Failed");
  assert.equal(await failed.page.locator(".failure b").count(), 0);
  assert.equal(await failed.page.locator(".failure .message").textContent(), "the disk is <b>full</b>");
});

// Ways out of a text, an attribute, a script, a style, a title and a comment; and what turns letters around.
const WAYS = [
  "<script>window.pwned = 1</script>",
  "<img src=x onerror=window.pwned=1>",
  "\"><svg/onload=window.pwned=1>",
  "' onfocus=window.pwned=1 autofocus='",
  "</title></textarea></style></script><iframe srcdoc='<script>top.pwned=1</script>'>",
  "--><!--<b>",
  "</style><style>*{display:none}",
  "javascript:window.pwned=1",
  "\u202eesrever\u2066 <b>",
];

promise("markup from a process stays text everywhere", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(program.url);
  const intact = async (where) => {
    assert.equal(await viewer.page.evaluate(() => window.pwned), undefined, where);
    const foreign = "main :is(script, iframe, img, svg, math, style, [onfocus], [onload], [onerror], [autofocus])";
    assert.equal(await viewer.page.locator(foreign).count(), 0, where);
    assert.ok(await viewer.page.locator("h1").isVisible(), where);
    assert.deepEqual(await viewer.page.locator('main a[href^="javascript:" i]').count(), 0, where);
  };
  let last = null;
  for (const [index, text] of WAYS.entries()) {
    const { id } = await program.run("repeats", { text, fails: index % 2 === 1 });
    last = await program.until(id, ({ finished_at: at }) => at !== null);
    await viewer.page.goto(`${program.url}runs/${id}`);
    await viewer.page.locator("article:is([data-status=succeeded], [data-status=failed])").waitFor();
    // What turns letters around is removed before anybody sees it.
    const shown = text.replace(/[\u202e\u2066]/g, "");
    assert.ok((await viewer.texts()).some((line) => line.endsWith(shown)), text);
    const said = await viewer.part("text").textContent();
    assert.equal(said, index % 2 === 1 ? `Last: ${shown}` : "", "what a run was doing when it ended");
    await intact(`${text} on its page`);
    await viewer.page.goto(`${program.url}runs/${id}/log?q=${encodeURIComponent(text.slice(0, 5))}`);
    await intact(`${text} in its log`);
  }
  assert.ok(last);
  for (const path of ["", "runs", "repeats/show_progress"]) {
    await viewer.page.goto(program.url + path);
    await intact(path);
  }
});

promise("markup in live updates stays text", async ({ use, open }) => {
  const program = await use(fixtures());
  for (const text of WAYS.slice(0, 3)) {
    const viewer = await open(`${program.url}repeats/show_progress?text=${encodeURIComponent(text)}`);
    await viewer.start();
    await viewer.status("Completed with warnings");
    assert.equal(await viewer.page.evaluate(() => window.pwned), undefined);
    assert.equal(await viewer.page.locator("main :is(script, iframe, img, svg)").count(), 0, text);
    assert.equal(await viewer.part("title").textContent(), text);
  }
});
