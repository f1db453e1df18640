// One table of words and formats: what the scripts say of runs and figures is, byte for byte, what the server says. The server's
// answers are in parity.json, which a test of the server compares with what it says: src/web/pages/parity.rs.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

import cases from "./parity.json" with { type: "json" };
import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const ASSETS = new URL("../../process-runtime/assets/", import.meta.url);
const TEXTS = new URL("../../process-runtime/texts/", import.meta.url);

// All modules of a script share one scope, so a line at its end reaches the functions of each.
const PAGE = `;globalThis.script = { TEXTS, t, number, whole, duration, isolated, levelWord, resumes, wording, toned, fullness, stageFullness,
  percentage, steps, staged, lineOf, tookWords, rate, left };`;
const REACHED = { page: PAGE, watching: ";script.paintWindow = paintWindow;", starting: ";Object.assign(script, { beside, firstLine });" };

/** The page of a run whose scripts are reached, as they are served in this language. */
async function reached(program, open, id, language) {
  const page = async (path) => (await fetch(`${program.url}${path}?lang=${language}`, { headers: { accept: "text/html" } })).text();
  const scripts = (html) => [...html.matchAll(/<script type="module" src="([^"]+)"/g)].map(([, address]) => new URL(address, program.url).href);
  const [own, watching] = scripts(await page(`runs/${id}`)), [, starting] = scripts(await page(""));
  const viewer = await open("about:blank", { of: program });
  for (const [name, address] of Object.entries({ page: own, watching, starting })) {
    await viewer.page.route(address, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: await answer.text() + REACHED[name] });
    });
  }
  await viewer.page.goto(`${program.url}runs/${id}?lang=${language}`);
  const [, sending] = /import\("\.\/([^"]+)"\)/.exec(await (await fetch(starting)).text());
  for (const address of [starting, new URL(sending, starting).href]) await viewer.page.evaluate((address) => import(address), address).catch(() => {});
  await viewer.page.waitForFunction(() => globalThis.script?.firstLine && script.paintWindow);
  return viewer;
}

// In the page: everything that differs.
function differences({ calls, runs, index }) {
  const found = [], of = (said) => (Array.isArray(said) ? said[index] : said);
  const compare = (what, says, said) => { if (says !== of(said)) found.push({ what, script: says, server: of(said) }); };
  for (const [name, given, said] of calls) compare(`${name}(${JSON.stringify(given)})`, script[name](...given), said);
  const moves = ({ status, percent }) => status === "running" && !(percent >= 100);
  for (const [run, said] of runs) {
    const { stage, inner, elapsed_ms: elapsed } = run;
    script.paintWindow(run);
    const element = document.createElement("process-progress");
    element.setAttribute("snapshot", JSON.stringify(run));
    document.body.append(element);
    const part = (name) => [...element.shadowRoot.querySelectorAll(`[part=${name}]`)].map((node) => node.textContent).join("");
    const says = {
      wording: script.wording(run), toned: script.toned(run), fullness: script.fullness(run), stageFullness: script.stageFullness(run),
      percentage: script.percentage(run), steps: script.steps(run), inner: inner ? script.steps(inner) : "", staged: script.staged(stage),
      lineOf: script.lineOf(run), tookWords: script.tookWords(run), rate: moves(run) ? script.rate(run, elapsed) : "",
      left: moves(run) ? script.left(run, elapsed) : "", title: document.head.querySelector("title").textContent,
      counts: part("counts"), stages: part("stages"),
    };
    for (const [name, value] of Object.entries(says)) compare(`${name} of ${JSON.stringify(run)}`, value, name in said ? said[name] : "");
    // What the element shows is what the functions say.
    for (const [name, by] of [["status", "wording"], ["percent", "percentage"], ["count", "steps"], ["stage", "staged"], ["text", "lineOf"], ["took", "tookWords"]]) {
      compare(`${name} shown of ${JSON.stringify(run)}`, part(name), said[by] ?? "");
    }
    element.remove();
  }
  return found;
}

for (const [index, language] of cases.languages.entries()) {
  promise(`server and script say the same in ${language}`, async ({ use, open }) => {
    const program = await use(fixtures());
    const { id } = await program.run("count", { total: 3, pause: 0 });
    await program.until(id, ({ finished_at }) => finished_at !== null);
    const viewer = await reached(program, open, id, language);
    const served = await viewer.page.evaluate(() => script.TEXTS);
    assert.equal(served.language, language);
    const { calls, runs } = cases;
    assert.ok(calls.length > 400 && runs.length > 150, `${calls.length} calls, ${runs.length} runs`);
    const found = await viewer.page.evaluate(differences, { calls, runs, index });
    assert.deepEqual(found.slice(0, 10), [], `${found.length} differences`);
  });
}

const modules = async () => Promise.all((await readdir(ASSETS)).filter((name) => name.endsWith(".js"))
  .map(async (name) => [name, (await readFile(new URL(name, ASSETS), "utf8")).replace(/\/\*[^]*?\*\/|(^|\s)\/\/.*$/gm, "$1")]));
const catalog = async (language) => JSON.parse(await readFile(new URL(`${language}.json`, TEXTS), "utf8"));
const places = (text) => [...new Set(JSON.stringify(text).match(/\{\w+\}/g))].sort();

test("texts of scripts are complete in every language", async () => {
  const catalogs = await Promise.all(cases.languages.map(catalog));
  let found = 0;
  for (const [name, text] of await modules()) {
    for (const [, call, key, given] of text.matchAll(/\b(t|around)\("([\w.]+)"(?:, (\{(?:[^{}]|\{[^{}]*\})*\}|"\w+"))?/g)) {
      if (key === "duration.and") continue; // its parts are texts, checked in the browser
      const fills = call === "around" ? [given.slice(1, -1)] : [...(given ?? "").replace(/\(.*?\)/g, "").matchAll(/(?:\{|,)\s*(\w+)/g)].map(([, one]) => one);
      for (const [index, texts] of catalogs.entries()) {
        assert.ok(texts[key], `${name}: ${key} is missing in ${cases.languages[index]}`);
        const left = places(texts[key]).filter((place) => !fills.includes(place.slice(1, -1)));
        assert.deepEqual(left, [], `${name}: ${key} in ${cases.languages[index]} is not filled`);
      }
      found += 1;
    }
  }
  assert.ok(found > 50, `${found} texts`);
});

// What only developers read.
const FOR_DEVELOPERS = [/is not the address of a run|^(process policy|signed out)$/];

test("scripts have no words of their own", async () => {
  for (const [name, text] of await modules()) {
    const literals = [...text.matchAll(/"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)].map(([, plain, filled]) => plain ?? filled.replace(/\$\{[^}]*\}|<[^>]*>/g, " "));
    const words = literals.filter((one) => /\p{L}{2,}\s+\p{L}{2,}|^\p{Lu}\p{Ll}+\p{P}?$/u.test(one.trim()) && !FOR_DEVELOPERS.some((known) => known.test(one)));
    assert.deepEqual(words, [], name);
  }
});
