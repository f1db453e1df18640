// Accessibility: axe passes, light and dark, wide and narrow; keyboard, announcements, touch targets.

import assert from "node:assert/strict";

import { examine } from "./axe.mjs";
import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

promise("index, history and 404 page pass axe", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.run("wait");
  await program.until((await program.run("fails")).id, ({ status }) => status === "failed");
  await program.until((await program.run("count")).id, ({ status }) => status === "succeeded");
  for (const path of ["", "runs", "runs/nothing"]) {
    await examine(await open(program.url + path, { allowed: [/status of 404/] }));
  }
});

promise("process page with run and errors passes axe", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}count/show_progress`, { allowed: [/status of 422/] });
  await viewer.page.getByLabel("Total").fill("-5");
  await viewer.page.getByRole("button", { name: "Start" }).click();
  await viewer.page.getByRole("alert").waitFor();
  await examine(viewer);
  await program.run("count", { total: 100_000, pause: 20 });
  const busy = await open(`${program.url}count/show_progress`);
  await busy.part("status").filter({ hasText: /^Running$/ }).first().waitFor();
  await examine(busy);
});

promise("running, finished and failed runs pass axe", async ({ use, open }) => {
  const program = await use(fixtures());
  const running = await program.run("count", { total: 100_000, pause: 20 });
  const finished = await program.run("odd/odd-values");
  const failed = await program.run("fails");
  for (const [{ id }, status] of [[running, "Running"], [finished, "Succeeded"], [failed, "Failed"]]) {
    const viewer = await open(`${program.url}runs/${id}`);
    await viewer.status(status);
    await examine(viewer);
  }
});

promise("the bar is labelled and updates keep the focus", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const { id } = await program.run("count", { total: 200, pause: 20 });
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.percent(20);
  await viewer.page.getByRole("link", { name: "Download log" }).focus();
  const bar = viewer.page.getByRole("progressbar", { name: "Progress" });
  assert.match(await bar.getAttribute("aria-valuetext"), /^\d\d %, \d+ of 200/);
  await program.release("count");
  await viewer.status("Succeeded");
  assert.equal(await bar.getAttribute("aria-valuetext"), "100 %, 200 of 200");
  assert.equal(await viewer.page.evaluate(() => document.activeElement.textContent), "Download log");
});

promise("the keyboard alone starts and cancels a run", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(program.url);
  const { keyboard } = viewer.page;
  /** Tab by tab, as far as a page goes, to what has this name; what has the focus must be seen to have it. */
  async function to(name) {
    for (let presses = 0; presses < 80; presses += 1) {
      await keyboard.press("Tab");
      const [found, isSeen] = await viewer.page.evaluate(() => {
        let at = document.activeElement;
        while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(at);
        return [(at.labels?.[0] ?? at).textContent.trim(), outlineStyle !== "none" && outlineWidth !== "0px"];
      });
      if (!name.test(found)) continue;
      assert.ok(isSeen, `nobody sees that "${found}" has the focus`);
      return;
    }
    assert.fail(`${name} is not reached with the Tab key`);
  }
  await keyboard.press("/");
  await keyboard.type("count");
  await to(/^Counting/);
  await keyboard.press("Enter");
  await viewer.page.waitForURL(/show_progress$/);
  await to(/^Total/);
  await keyboard.type("100000");
  await to(/^Start$/);
  await keyboard.press("Enter");
  await viewer.atRun();
  await viewer.status("Running");
  await to(/^Cancel$/);
  await keyboard.press("Space");
  await viewer.status("Cancelled");
});

promise("progress is announced at most every five seconds", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("count", { total: 60, pause: 80 });
  const viewer = await open("about:blank", { of: program });
  await viewer.page.clock.install();
  await viewer.page.goto(`${program.url}runs/${id}`);
  await viewer.status("Succeeded");
  await viewer.page.clock.fastForward(5_000);
  await viewer.part("announcement").filter({ hasText: "Succeeded: Counting" }).waitFor({ state: "attached" });
  const spoken = (await viewer.seen("announcement", true)).filter(({ value }) => value);
  assert.match(spoken[0].value, /^Running: Counting/);
  for (let index = 1; index < spoken.length; index += 1) {
    assert.ok(spoken[index].at - spoken[index - 1].at >= 4_900, JSON.stringify(spoken));
  }
  assert.equal(await viewer.page.getByRole("status").count(), 1);
  assert.equal(await viewer.page.getByRole("log").getAttribute("aria-live"), "off");
});

promise("pages fit 320 px with large touch targets", async ({ use, open }) => {
  const program = await use(fixtures());
  const running = await program.run("count", { total: 100_000, pause: 20 });
  const failed = await program.run("fails");
  const file = await program.run("writes-a-file", { name: `${"very-long-".repeat(18)}.txt` });
  await program.until(file.id, ({ finished_at }) => finished_at !== null);
  const viewer = await open(program.url, { viewport: { width: 320, height: 640 } });
  for (const path of ["", "count/show_progress", `runs/${running.id}`, `runs/${failed.id}`, `runs/${file.id}`, "runs"]) {
    await viewer.page.goto(program.url + path);
    await viewer.page.locator("h1").waitFor();
    assert.ok(await viewer.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `/${path} scrolls sideways`);
    const low = await viewer.page.locator("button, .button, input:not([type=hidden], [type=checkbox]), select").evaluateAll((all) =>
      all.filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44).map((one) => one.outerHTML));
    assert.deepEqual(low, [], path);
  }
});

promise("reduced motion disables endless animations", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("wait");
  const viewer = await open(`${program.url}runs/${id}`, { reducedMotion: "reduce" });
  await viewer.status("Running");
  const moving = () => viewer.page.evaluate(() => document.getAnimations({ subtree: true }).length);
  assert.equal(await moving(), 0);
  await viewer.page.emulateMedia({ reducedMotion: "no-preference" });
  assert.ok(await moving() > 0, "the test would see nothing move");
});
