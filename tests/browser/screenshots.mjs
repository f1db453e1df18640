// Makes the pictures of docs/pages.md: each page, cut where it ends, or where it has become long.
//
//     node tests/browser/screenshots.mjs docs
//
// PROCESS_EXAMPLES_BIN must name the program with the examples.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { browser, closeBrowser } from "./chromium.mjs";
import { withPalette } from "./palette.mjs";
import { examples } from "./servers.mjs";

const folder = process.argv[2];
if (!folder) throw new Error("name the folder for the pictures");
await mkdir(folder, { recursive: true });

const LARGEST = 120_000; // bytes of a picture
const TALLEST = 1_100; // pixels

const program = await examples({ pace: 10 });
const pictures = [];

/** A page at this address. */
async function open(path, { width = 1280, ...options } = {}) {
  const context = await (await browser()).newContext({
    viewport: { width, height: TALLEST }, deviceScaleFactor: 1, reducedMotion: "reduce", locale: "en-GB", timezoneId: "UTC", ...options,
  });
  const page = await context.newPage();
  await page.goto(new URL(path, program.url).href);
  return page;
}

/** A picture of this part of the page, or of the page from its top to the end of what is in it. */
async function shoot(page, name, part, beside = 16) {
  const { left, top, right, bottom, width } = await page.evaluate((part) => {
    const { left, top, right, bottom } = document.querySelector(part ?? "main").getBoundingClientRect();
    return { left: left + scrollX, top: top + scrollY, right: right + scrollX, bottom: bottom + scrollY, width: innerWidth };
  }, part);
  const clip = part
    ? { x: Math.max(0, left - beside), y: Math.max(0, top - beside), width: right - left + 2 * beside, height: bottom - top + 2 * beside }
    : { x: 0, y: 0, width, height: bottom };
  clip.height = Math.min(Math.ceil(clip.height), TALLEST);
  // They are made small when all are taken: the runs do not wait.
  pictures.push([name, await page.screenshot({ fullPage: true, clip })]);
}

const reaches = (page, least) => page.waitForFunction((least) => document.querySelector("progress[value]")?.value >= least, least);
const ended = async (route, input) => {
  const { id } = await program.run(route, input);
  return program.until(id, ({ finished_at: at }) => at !== null);
};

try {
  // What is long over when the others are looked at.
  const wrong = Buffer.from("sku;price\n1;2\n").toString("base64");
  const failed = await ended("import-users", { file: { name: "prices.csv", type: "text/csv", content: wrong } });
  await program.run("admin/backup-system");
  const [first, second] = await Promise.all([5, 8].map((percent) => program.run("recalculate-prices", { percent })));

  const form = await open("demo/kitchen-sink/show_progress", { width: 900 });
  await shoot(form, "process");
  await form.fill('[name="email"]', "ada at example.org");
  await form.fill('[name="address.street"]', "Main Street 1");
  await form.fill('[name="address.zip"]', "123");
  await form.click("form[data-start] button[type=submit]");
  await form.locator("[role=alert]").waitFor();
  await form.setViewportSize({ width: 720, height: TALLEST });
  // Between the two fields, and nothing else.
  await form.evaluate(() => {
    const [one, last] = ["#field-email", "#field-address"].map((id) => document.querySelector(id).closest(".field").getBoundingClientRect());
    const frame = document.body.appendChild(document.createElement("div"));
    Object.assign(frame.style, { position: "absolute", left: `${one.left}px`, top: `${one.top + scrollY}px`, width: `${last.right - one.left}px`, height: `${last.bottom - one.top}px` });
    frame.id = "frame";
  });
  await shoot(form, "form", "#frame", 20);

  await shoot(await open(`runs/${failed.id}`), "run-failed");
  const { id } = await program.run("import-users");
  const [run, arabic, narrow] = await Promise.all([
    open(`runs/${id}`), open(`runs/${id}?lang=ar`), open(`runs/${id}`, { width: 390, isMobile: true }),
  ]);
  await reaches(run, 45);
  await shoot(run, "run");
  await run.emulateMedia({ colorScheme: "dark" });
  await shoot(run, "run-dark");
  const index = await open("");
  await index.waitForFunction(() => document.querySelector("progress[value]"));
  await shoot(index, "index");
  await shoot(arabic, "run-arabic");
  await shoot(narrow, "run-narrow");
  await program.until(id, ({ finished_at: at }) => at !== null);
  await shoot(await open(`runs/${id}`), "run-finished");

  await Promise.all([first, second].map((one) => program.until(one.id, ({ finished_at: at }) => at !== null)));
  await shoot(await open("runs"), "history");
  await shoot(await open(`runs/${second.id}/compare?with=${first.id}`), "compare");

  const elements = await open("elements");
  for (const name of ["Start a run", "Start a backup"]) await elements.locator("#default").getByRole("button", { name }).click();
  await elements.waitForTimeout(4_000);
  await shoot(elements, "elements", "#default");

  const painter = await (await browser()).newPage();
  for (const [name, picture] of pictures) {
    const small = await withPalette(painter, picture);
    if (small.length > LARGEST) throw new Error(`${name}.png would have ${small.length} bytes`);
    await writeFile(join(folder, `${name}.png`), small);
  }
} finally {
  await closeBrowser();
  await program.close();
}
