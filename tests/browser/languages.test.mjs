// Languages: each page is in the visitor's language, live and reloaded, including numbers and dates.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { examine } from "./axe.mjs";
import { examples, fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const SCHEDULE = "0 3 * * *"; // of the backup among the examples
const LANGUAGES = ["en", "es", "de", "fr", "zh", "ar"];
const catalog = async (language) =>
  JSON.parse(await readFile(new URL(`../../process-runtime/texts/${language}.json`, import.meta.url), "utf8"));

for (const language of LANGUAGES) {
  promise(`a run is told in ${language}, live and reloaded`, async ({ use, open }) => {
    const program = await use(fixtures());
    await program.hold("sort");
    const texts = await catalog(language);
    const { id } = await program.run("sort", { items: 10, pause: 50 });
    const viewer = await open(`${program.url}runs/${id}`, { locale: language });
    const { lang, dir } = await viewer.page.evaluate(() => ({ lang: document.documentElement.lang, dir: document.documentElement.dir }));
    assert.deepEqual([lang, dir], [language, texts.direction]);
    await viewer.status(texts["status.running"]);
    await viewer.page.getByRole("button", { name: texts["action.cancel"], exact: true }).waitFor();
    await program.release("sort");
    await viewer.status(texts["status.warned"]);
    await viewer.part("outcome").filter({ hasText: /\S/ }).waitFor();
    const shown = async () => {
      await viewer.part("announcement").evaluate((node) => { node.hidden = true; });
      return viewer.page.locator("main").innerText();
    };
    const live = await shown();
    await viewer.page.reload();
    assert.equal(await shown(), live);
    // Words of the catalog that no reader of this language should see.
    if (language !== "en") assert.doesNotMatch(live, /\b(Running|Completed|Result|Copy link|Download log|Took|Ended|warnings?)\b/);
  });
}

promise("numbers and durations match Intl", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("count", { total: 30, pause: 0 });
  await program.until(id, ({ finished_at }) => finished_at !== null);
  for (const language of LANGUAGES) {
    const viewer = await open(`${program.url}runs/${id}?lang=${language}`, { javaScriptEnabled: true });
    const wanted = await viewer.page.evaluate(() => {
      const tag = document.documentElement.lang, run = JSON.parse(document.querySelector("process-progress").getAttribute("snapshot"));
      const seconds = Math.floor(run.elapsed_ms / 100) / 10;
      return {
        seconds: new Intl.NumberFormat(tag, { minimumFractionDigits: 1, numberingSystem: "latn" }).format(seconds),
        ended: new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "medium", numberingSystem: "latn" }).format(new Date(run.finished_at)),
      };
    });
    const elapsed = (await catalog(language))["duration.seconds"].replace("{n}", wanted.seconds);
    assert.equal(await viewer.part("elapsed").textContent(), elapsed, language);
    assert.ok((await viewer.part("after").textContent()).includes(wanted.ended), language);
  }
});

promise("data keeps its direction in Arabic", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("fails-for-a-reason");
  await program.until(id, ({ finished_at }) => finished_at !== null);
  const viewer = await open(`${program.url}runs/${id}?lang=ar`);
  // Where each character of a text is painted, from left to right.
  const painted = (locator, text) => locator.first().evaluate((node, text) => {
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    for (let one = walker.nextNode(); one; one = walker.nextNode()) {
      const at = one.data.indexOf(text);
      if (at < 0) continue;
      const places = [...text].map((character, index) => {
        const range = document.createRange();
        range.setStart(one, at + index);
        range.setEnd(one, at + index + 1);
        return [range.getBoundingClientRect().left, character];
      });
      return places.sort(([a], [b]) => a - b).map(([, character]) => character).join("");
    }
    return null;
  }, text);
  for (const when of ["live", "reloaded"]) {
    // A line reads from right to left: its time, its level, its text; and the text in its own direction.
    const line = viewer.part("log").locator("li.error");
    const [time, level, text] = await Promise.all(["time", "b", "span"].map((part) => line.locator(part).first().boundingBox()));
    assert.ok(time.x > level.x && level.x > text.x, `${when}: ${time.x}, ${level.x}, ${text.x}`);
    assert.equal(await line.locator("b").textContent(), "خطأ");
    const chain = "the catalog was not read";
    assert.equal(await painted(line.locator("span"), chain), chain, when);
    const stage = viewer.page.locator(".failure p", { hasText: "Connect" });
    assert.equal(await painted(stage, "Connect"), "Connect", when);
    assert.equal(await painted(viewer.page.locator(".failure code"), id), id, when);
    await viewer.page.reload();
  }
  // A new run, seen from its start.
  await viewer.page.goto(`${program.url}fails-for-a-reason/show_progress`);
  await viewer.page.locator("form[data-start] button[type=submit]").click();
  await viewer.atRun();
  await viewer.part("failure").filter({ hasText: /\S/ }).waitFor();
  const shown = async () => {
    await viewer.part("announcement").evaluate((node) => { node.hidden = true; });
    return viewer.page.locator("main").innerText();
  };
  const live = await shown();
  await viewer.page.reload();
  assert.equal(await shown(), live);
  // The fields of a schedule stand in their order.
  const scheduled = await use(examples());
  const index = await open(`${scheduled.url}?lang=ar`);
  const schedule = index.page.locator("p.soft", { hasText: SCHEDULE });
  assert.equal(await painted(schedule, SCHEDULE), SCHEDULE);
});

promise("right-to-left pages fit and pass axe", async ({ use, open }) => {
  const program = await use(fixtures());
  const { id } = await program.run("sort", { items: 10, pause: 0 });
  await program.until(id, ({ finished_at }) => finished_at !== null);
  const viewer = await open(`${program.url}?lang=ar`);
  for (const path of ["", "sort/show_progress", `runs/${id}`, "runs"]) {
    await viewer.page.goto(program.url + path);
    assert.equal(await viewer.page.evaluate(() => document.documentElement.dir), "rtl", "the choice was not kept");
    await viewer.page.setViewportSize({ width: 390, height: 800 });
    assert.ok(await viewer.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `/${path} scrolls sideways`);
  }
  await viewer.page.goto(`${program.url}runs/${id}`);
  await examine(viewer);
});
