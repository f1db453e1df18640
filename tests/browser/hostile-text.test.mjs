// What is promised of texts: whatever a process or a person writes, it is text. (That no policy was broken,
// nothing was reported and no third party asked is checked after every test.)

import assert from "node:assert/strict";

import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const HOSTILE = "<img src=x onerror=alert(1)>";

promise("line breaks, control characters and endless lines do no harm, live and reloaded", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}odd/odd-values/show_progress`);
  await viewer.start();
  await viewer.status("Succeeded");
  for (const when of ["live", "reloaded"]) {
    assert.match(await viewer.part("title").textContent(), /^A title\s/, when);
    const [first, second] = await viewer.texts();
    assert.match(first, /^one\r?\n?two\n\nid: forged\n\n\0? and \u2028 the end$/s, when);
    assert.match(second, /^y{100,}/, when);
    assert.ok(second.length < 100_000, when);
    assert.equal(await viewer.part("status").textContent(), "Succeeded");
    await viewer.page.reload();
  }
  assert.ok(await viewer.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
});

promise("markup in errors, inputs, file names and addresses stays text", async ({ use, open }) => {
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
