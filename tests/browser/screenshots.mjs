// Makes the pictures of the README: a run at about 60 %, light and dark, cut where the page ends, and a form.
//
//     node tests/browser/screenshots.mjs docs
//
// PROCESS_EXAMPLES_BIN must name the program with the examples.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { browser, closeBrowser } from "./chromium.mjs";
import { examples } from "./servers.mjs";

const folder = process.argv[2];
if (!folder) throw new Error("name the folder for the pictures");
await mkdir(folder, { recursive: true });

const program = await examples({ pace: 10 });
try {
  const { id } = await program.run("import-users");
  const context = await (await browser()).newContext({
    viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1, reducedMotion: "reduce",
  });
  const page = await context.newPage();
  await page.goto(`${program.url}runs/${id}`);
  await page.waitForFunction(() => document.querySelector("progress").value >= 59);
  for (const [colorScheme, name] of [["light", "run.png"], ["dark", "run-dark.png"]]) {
    await page.emulateMedia({ colorScheme });
    const { bottom } = await page.locator("article").evaluate((article) => article.getBoundingClientRect().toJSON());
    await page.screenshot({ path: join(folder, name), clip: { x: 0, y: 0, width: 1280, height: Math.ceil(bottom) + 32 } });
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 720, height: 800 });
  await page.goto(`${program.url}demo/kitchen-sink/show_progress`);
  await page.fill('[name="email"]', "ada at example.org");
  await page.fill('[name="address.street"]', "Main Street 1");
  await page.fill('[name="address.zip"]', "123");
  await page.locator("form[data-start]").evaluate((form) => { form.noValidate = true; });
  await Promise.all([page.waitForNavigation(), page.click("form[data-start] button[type=submit]")]);
  const box = (selector) => page.locator(selector).evaluate((element) => {
    const { left, top, right, bottom } = element.closest(".field").getBoundingClientRect();
    return { left: left + scrollX, top: top + scrollY, right: right + scrollX, bottom: bottom + scrollY };
  });
  const [first, last] = [await box("#field-email"), await box("#field-address")];
  await page.screenshot({ path: join(folder, "form.png"), fullPage: true,
    clip: { x: first.left - 20, y: first.top - 20, width: last.right - first.left + 40, height: last.bottom - first.top + 40 } });
} finally {
  await closeBrowser();
  await program.close();
}
