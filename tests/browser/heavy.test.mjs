// Pages stay responsive with any number of reports, and end with the last value.

import assert from "node:assert/strict";

import { fixtures } from "./servers.mjs";
import { climbs, promise } from "./viewers.mjs";

// The longest time in which the page could not have answered, in ms.
async function watchFrames({ page }) {
  await page.evaluate(() => {
    window.longest = 0;
    let last = performance.now();
    const frame = (now) => {
      window.longest = Math.max(window.longest, now - last);
      last = now;
      window.frame = requestAnimationFrame(frame);
    };
    requestAnimationFrame((now) => { last = now; frame(now); });
  });
  return () => page.evaluate(() => {
    cancelAnimationFrame(window.frame);
    return window.longest;
  });
}

promise("ten million updates keep pages responsive", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}race/show_progress`);
  await viewer.page.getByLabel("Steps").fill("40000000");
  await viewer.start();
  const longest = await watchFrames(viewer);
  const asked = performance.now();
  await (await fetch(program.url, { headers: { accept: "text/html" } })).text();
  const answered = performance.now() - asked;
  await viewer.status("Succeeded");
  const gap = await longest();
  assert.ok(gap < 500, `the page stood still for ${gap} ms`);
  assert.ok(answered < 1_000, `another page took ${answered} ms`);
  assert.equal(await viewer.part("count").textContent(), "40,000,000 of 40,000,000");
  assert.match(await viewer.page.locator(".result").innerText(), /40,000,000/);
  const bar = (await viewer.seen("bar", true)).filter(({ value }) => value !== null);
  assert.ok(climbs(bar.map(({ value }) => value)));
  // At most ten repaints a second, and a few at the beginning and the end.
  const seconds = (bar.at(-1).at - bar[0].at) / 1000;
  assert.ok(bar.length <= 10 * seconds + 5, `${bar.length} repaints in ${seconds} s`);
});

promise("a long log shows its last 2,000 lines", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}chat/show_progress?lines=100000&pause=1`);
  const id = await viewer.start();
  const longest = await watchFrames(viewer);
  await viewer.status("Succeeded");
  const gap = await longest();
  // Not a measure of speed: a page that paints every line stands still for many seconds.
  assert.ok(gap < 3_000, `the page stood still for ${gap} ms`);
  const nodes = await viewer.page.locator(".lines li").count();
  assert.ok(nodes <= 2_000, `${nodes} lines`);
  const numbers = await viewer.lines();
  assert.equal(numbers.at(-1), 100_000);
  assert.ok(climbs(numbers) && new Set(numbers).size === numbers.length);
  const earlier = viewer.page.locator(".lines .gap").first();
  const said = (await earlier.textContent()).match(/^([\d,]+) earlier lines · ([\d,]+) lines omitted$/);
  const [kept, omitted] = said.slice(1).map((number) => Number(number.replaceAll(",", "")));
  assert.equal(kept + omitted, numbers[0] - 1);
  const file = await (await fetch(`${program.url}runs/${id}/log`)).text();
  assert.equal(file.split("\n").filter((line) => / line \d+$/.test(line)).length, 100_000 - omitted);
  assert.equal(await earlier.getByRole("link").getAttribute("href"), `/runs/${id}/log`);
});

promise("the log follows only at its end", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const { id } = await program.run("count", { total: 250, pause: 10 });
  const viewer = await open(`${program.url}runs/${id}`);
  const box = viewer.part("log"), jump = viewer.page.getByRole("button", { name: "Jump to latest" });
  const toEnd = () => box.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight);
  await viewer.page.locator("[data-seq='60']").waitFor();
  assert.ok(await toEnd() < 16, "it does not follow");
  await box.hover();
  await viewer.page.mouse.wheel(0, -300);
  await jump.waitFor();
  const top = await box.evaluate((box) => box.scrollTop);
  await program.release("count");
  await viewer.page.locator("[data-seq='180']").waitFor();
  assert.equal(await box.evaluate((box) => box.scrollTop), top, "it moved under the reader's eyes");
  await jump.click();
  await viewer.page.locator("[data-seq='250']").waitFor();
  assert.ok(await toEnd() < 16, "it does not follow again");
  assert.ok(await jump.isHidden());
});
