// Languages: each page is in the visitor's language, live and reloaded, including numbers and dates.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { examine } from "./axe.mjs";
import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

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
