// What is promised of the files of a run: they are saved, or shown without anything of them being run.

import assert from "node:assert/strict";

import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

// What the browser says of a sandbox that holds.
const HELD = [/^Blocked script execution in/, /^Blocked form submission to/];

promise("files are viewed in a sandbox, in which no script runs and no form is sent", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}offers-files/show_progress`, { allowed: HELD });
  const { page } = viewer;
  await viewer.start();
  await viewer.status("Succeeded");
  const run = page.url();
  for (const when of ["live", "reloaded"]) {
    const views = page.locator(".files").getByRole("link", { name: /^View / });
    await views.first().waitFor();
    assert.deepEqual(await views.evaluateAll((links) => links.map((link) => [link.ariaLabel, link.textContent])),
      ["report.html", "picture.svg", "rows.csv", "letter.pdf"].map((name) => [`View ${name}`, "View"]), when);
    await page.reload();
  }

  await page.getByRole("link", { name: "View report.html" }).click();
  const heading = page.getByRole("heading", { name: "Report" });
  await heading.waitFor();
  assert.equal(page.url(), `${run}/files/report.html?inline`);
  assert.equal(await heading.evaluate((heading) => getComputedStyle(heading).color), "rgb(0, 128, 0)", "its styles apply");
  assert.equal(await page.title(), "Report", "its script did not run");
  assert.equal(await page.evaluate(() => self.origin), "null", "its origin is its own");
  await page.getByRole("button").click();
  assert.equal(page.url(), `${run}/files/report.html?inline`, "its form was not sent");

  await page.goto(`${run}/files/picture.svg?inline`);
  assert.equal(await page.evaluate(() => document.documentElement.id), "", "the picture's script did not run");
  await page.goto(`${run}/files/rows.csv?inline`);
  assert.equal(await page.locator("body").innerText(), "<b>a</b>,1\n", "a text is shown as it is");
  assert.ok(!viewer.requests.some(({ method, url }) => method === "POST" && !url.endsWith("/offers-files/start")));
});

promise("files are saved under their names", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}offers-files/show_progress`);
  await viewer.start();
  await viewer.status("Succeeded");
  for (const name of ["report.html", "all.zip"]) {
    const saved = viewer.page.waitForEvent("download");
    await viewer.page.getByRole("link", { name, exact: true }).click();
    assert.equal((await saved).suggestedFilename(), name);
  }
});
