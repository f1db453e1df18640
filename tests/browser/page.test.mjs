// The page of a run: states, stages, counts, title and icon, and other behaviour that no other file here tests.

import assert from "node:assert/strict";

import { examine } from "./axe.mjs";
import { fixtures } from "./servers.mjs";
import { climbs, promise } from "./viewers.mjs";

const ask = { method: "POST", headers: { accept: "application/json" } };
const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });

promise("unknown progress has an indeterminate bar", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("wait");
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.status("Running");
  const bar = viewer.page.locator("progress");
  assert.equal(await bar.getAttribute("value"), null);
  assert.equal(await bar.evaluate((bar) => bar.position), -1);
  assert.equal(await viewer.part("percent").textContent(), "Working…");
  await viewer.part("left").filter({ hasText: "no estimate: total unknown" }).waitFor();
});

promise("a running run at 100 % shows Finishing…", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("linger");
  const { id } = await program.run("linger");
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.part("percent").filter({ hasText: "Finishing…" }).waitFor();
  assert.ok(await viewer.page.locator("progress").evaluate((bar) => bar.value) < 100);
  await viewer.page.reload();
  await viewer.part("percent").filter({ hasText: "Finishing…" }).waitFor();
  await program.release("linger");
  await viewer.status("Succeeded");
  assert.equal(await viewer.page.locator("progress").evaluate((bar) => bar.value), 100);
});

promise("stages, counts and failed items are shown", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("sort");
  const { id } = await program.run("sort", { items: 40, pause: 40 });
  const viewer = await open(`${program.url}runs/${id}`);
  const stages = viewer.page.locator('[data-part="stages"] li');
  const shown = () => stages.evaluateAll((all) => all.map((item) => [item.querySelector("span").textContent, item.querySelector("progress").value]));
  await viewer.page.getByText("2 of 3 · Sorting").waitFor();
  await viewer.page.waitForFunction(() => document.querySelectorAll('[data-part="stages"] progress')[1]?.value > 10);
  const [reading, sorting, ahead] = await shown();
  assert.deepEqual(reading, ["Reading", 100]);
  assert.equal(sorting[0], "Sorting");
  assert.ok(sorting[1] > 0 && sorting[1] < 100, `${sorting}`);
  assert.deepEqual(ahead, ["", 0]);
  await examine(viewer);
  await program.release("sort");
  await viewer.status("Completed with warnings");
  const counts = viewer.page.locator('[data-part="counts"] li');
  const facts = async () => [await shown(), await counts.allTextContents(), await viewer.part("outcome").innerText()];
  const live = await facts();
  assert.deepEqual(live[1], ["96 sorted", "12 skipped", "12 failed", "3 warnings"]);
  assert.match(live[2], /12 items failed[\s\S]*item 10\s+it has no weight[\s\S]*7 more/);
  await viewer.page.reload();
  assert.deepEqual(await facts(), live);
  await viewer.page.getByRole("link", { name: /^View all \d+$/ }).click();
  assert.equal(await viewer.page.locator(".lines li.error").count(), 12);
});

promise("the comparison marks differences", async ({ use, open }) => {
  const program = await use(fixtures());
  const first = await program.run("sort", { items: 10, pause: 0 });
  await program.until(first.id, ({ finished_at }) => finished_at !== null);
  const second = await program.run("sort", { items: 20, pause: 0 });
  await program.until(second.id, ({ finished_at }) => finished_at !== null);
  const viewer = await open(`${program.url}runs/${second.id}`);
  await viewer.page.getByRole("link", { name: /^Compare with #\d+$/ }).click();
  const rows = Object.fromEntries(await viewer.page.locator(".compare tbody tr").evaluateAll((all) => all.map((row) =>
    [row.querySelector("th").firstChild.textContent.trim(), [row.hasAttribute("data-differs"), ...[...row.querySelectorAll("td")].map((cell) => cell.textContent)]])));
  assert.deepEqual(rows.sorted, [true, "48", "24"]);
  assert.deepEqual(rows.Items, [true, "20", "10"]);
  assert.deepEqual(rows.Pause, [false, "0", "0"]);
  assert.deepEqual(rows.Message, [false, "Sorted", "Sorted"]);
  await examine(viewer);
});

promise("every page obeys its content security policy", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("sort", { items: 10, pause: 0 });
  await program.until(id, ({ finished_at }) => finished_at !== null);
  const viewer = await open(program.url, { allowed: [/status of 404/] });
  for (const path of ["", "sort/show_progress", `runs/${id}`, `runs/${id}/log?q=`, `runs/${id}/compare`, "runs", "nowhere"]) {
    const answer = await viewer.page.goto(program.url + path);
    const policy = (await answer.headerValue("content-security-policy")) ?? "";
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';.*require-trusted-types-for 'script'/, path);
    assert.doesNotMatch(policy, /unsafe|\*/, path);
    const inline = await viewer.page.evaluate(() => document.querySelectorAll("style, script:not([src]), [style], [onclick]").length);
    assert.equal(inline, 0, path);
    await pause(200);
  }
  assert.ok(viewer.requests.length > 10);
});

promise("pages work under a prefix", async ({ use, open }) => {
  const program = await use(fixtures({ nested: "/a/b" }));
  for (const address of [program.url, program.url.replace(/\/$/, "")]) {
    const viewer = await open(address);
    await viewer.page.getByRole("link", { name: "Counting", exact: true }).click();
    await viewer.page.getByLabel("Total").fill("60");
    await viewer.start();
    await viewer.percent(10);
    await viewer.status("Succeeded");
    await viewer.page.getByRole("link", { name: "Processes" }).click();
    await viewer.page.locator("[data-process=count]").getByText("Succeeded").waitFor();
    assert.ok(viewer.requests.every(({ url }) => new URL(url).pathname.startsWith("/a/b")), JSON.stringify(viewer.requests));
  }
});

promise("the log is labelled, quiet and keyboard-scrollable", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("chat", { lines: 300 });
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.status("Succeeded");
  const log = viewer.page.getByRole("log", { name: "Log" });
  assert.equal(await log.getAttribute("aria-live"), "off");
  await log.focus();
  await viewer.page.keyboard.press("Home");
  await viewer.page.waitForFunction(() => document.querySelector("[data-part=log]").scrollTop === 0);
  await viewer.page.getByRole("button", { name: "Jump to latest" }).click();
  await viewer.page.waitForFunction(() => document.activeElement === document.querySelector("[data-part=log]"));
});

promise("forced colours, contrast and print are readable", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("count", { total: 30, pause: 20 });
  const viewer = await open(`${program.url}runs/${id}`);
  await viewer.status("Succeeded");
  await viewer.page.emulateMedia({ forcedColors: "active" });
  const border = await viewer.page.locator("progress").evaluate((bar) => getComputedStyle(bar).borderTopWidth);
  assert.equal(border, "1px");
  await examine(viewer);
  await viewer.page.emulateMedia({ forcedColors: "none", contrast: "more" });
  await examine(viewer);
  await viewer.page.emulateMedia({ contrast: "no-preference", media: "print" });
  assert.ok(await viewer.page.getByText("Edit and run again").isHidden());
  assert.ok(await viewer.part("status").isVisible() && await viewer.page.locator("progress").isVisible());
  const log = await viewer.page.locator("[data-part=log]").evaluate((box) => box.scrollHeight - box.clientHeight);
  assert.ok(log <= 1, "the log is cut on paper");
});

promise("a clock change does not affect elapsed time", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("wait");
  const viewer = await open("about:blank", { of: program });
  await viewer.page.addInitScript(() => {
    const now = Date.now.bind(Date);
    window.wrongBy = -3_600_000;
    Date.now = () => now() + window.wrongBy;
  });
  await viewer.page.goto(`${program.url}runs/${id}`);
  await viewer.status("Running");
  const seconds = async () => Number(/^PT(\d+)S$/.exec(await viewer.part("elapsed").getAttribute("datetime"))[1]);
  const before = await seconds();
  assert.ok(before < 30, `${before}`);
  for (const wrongBy of [86_400_000, -86_400_000]) {
    await viewer.page.evaluate((wrongBy) => { window.wrongBy = wrongBy; }, wrongBy);
    await pause(2_000);
    assert.ok(await seconds() > before && await seconds() < before + 30);
  }
});

promise("waiting time ignores the viewer's clock", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id: first } = await program.run("count", { total: 100_000, pause: 20 });
  const { id } = await program.run("count", { total: 2, pause: 0 });
  const viewer = await open("about:blank", { of: program });
  await viewer.page.addInitScript(() => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + 3_600_000;
  });
  await viewer.page.goto(`${program.url}runs/${id}`);
  await viewer.status("Queued");
  assert.equal(await viewer.part("took").textContent(), "Waiting");
  const seconds = async () => Number(/^(\d+) s$/.exec(await viewer.part("elapsed").textContent())[1]);
  const before = await seconds();
  await pause(2_200);
  assert.ok(await seconds() > before && await seconds() < before + 30);
  await program.json(`/runs/${first}/cancel`, { method: "POST", headers: { accept: "application/json" } });
  await viewer.status("Succeeded");
  assert.equal(await viewer.part("took").textContent(), "Took");
});

promise("title, icon and notification show the progress", async ({ use, open }) => {
  const program = await use(fixtures());
  await program.hold("count");
  const { id } = await program.run("count", { total: 300, pause: 20 });
  const viewer = await open("about:blank", { of: program });
  await viewer.context.grantPermissions(["notifications"], { origin: new URL(program.url).origin });
  await viewer.page.addInitScript(() => {
    window.told = [];
    window.Notification = class {
      static permission = "default";
      static async requestPermission() { return "granted"; }
      constructor(title) { window.told.push(title); }
    };
  });
  await viewer.page.goto(`${program.url}runs/${id}`);
  const icon = () => viewer.page.locator("link[rel=icon]").getAttribute("href");
  const tell = viewer.page.getByRole("button", { name: "Notify me" });
  await tell.click();
  await viewer.page.getByRole("button", { name: "You'll be notified", pressed: true }).waitFor();
  await viewer.percent(50);
  await program.release("count");
  await viewer.page.waitForFunction((half) => document.querySelector("link[rel=icon]").href !== half && /^\d\d % · Counting$/.test(document.title), await icon());
  await viewer.status("Succeeded");
  assert.deepEqual(await viewer.page.evaluate(() => window.told), ["Succeeded: Counting"]);
  assert.equal(await viewer.page.title(), "Done · Counting");
  const titles = await viewer.seen("window");
  const figures = titles.map((title) => /^(\d+) %/.exec(title)?.[1]).filter(Boolean).map(Number);
  assert.ok(figures.length > 5 && climbs(figures), titles.join());
});

promise("Copy link copies the run's URL", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("says-nothing");
  const viewer = await open(`${program.url}runs/${id}`, { permissions: ["clipboard-read", "clipboard-write"] });
  await viewer.page.getByRole("button", { name: "Copy link" }).click();
  await viewer.page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await viewer.page.evaluate(() => navigator.clipboard.readText()), `${program.url}runs/${id}`);
});

promise("a removed run is reported and not retried", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("wait");
  const nobody = "0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f";
  const viewer = await open("about:blank", { of: program, shared: false, allowed: [/status of 404/] });
  await viewer.page.route(`${program.url}runs/${id}`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replaceAll(id, nobody) });
  });
  await viewer.page.goto(`${program.url}runs/${id}`);
  await viewer.part("note").filter({ hasText: "This run was removed" }).waitFor();
  const before = viewer.requests.length;
  await pause(3_000);
  assert.equal(viewer.requests.length, before);
  await program.json(`/runs/${id}/cancel`, ask);
});

promise("a line in the first snapshot is shown", async ({ use, open }) => {
  const program = await use(fixtures());
  for (let turn = 0; turn < 5; turn += 1) {
    const viewer = await open(`${program.url}wait/show_progress`);
    const id = await viewer.start();
    await viewer.page.getByText("waiting", { exact: true }).waitFor();
    await program.json(`/runs/${id}/cancel`, ask);
    await viewer.status("Cancelled");
    await viewer.context.close();
  }
});
