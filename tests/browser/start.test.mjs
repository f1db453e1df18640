// The start of a run from its form: what was entered survives, an upload can be watched and stopped, and nothing is
// claimed that the server has not confirmed.

import assert from "node:assert/strict";

import { examples, fixtures, openLine } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const at = (page, place) => page.locator(`[id="field-${place}"]`);
const start = (page) => page.getByRole("button", { name: "Start", exact: true });
const runs = async (program) => (await program.json("/runs")).runs.length;
const file = (name, size) => ({ name, mimeType: "text/csv", buffer: Buffer.alloc(size, 97) });
const note = (page, text) => page.locator(".start .note").filter({ hasText: text }).waitFor();

/** Lets this page send so many bytes a second. */
async function slow(page, uploadThroughput) {
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  await client.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
}

promise("an upload shows its percentage and can be stopped", async ({ use, open }) => {
  const program = await use(fixtures());
  const { page } = await open(`${program.url}gather/show_progress`);
  await at(page, "files").setInputFiles([file("a.csv", 400_000), file("b.csv", 400_000)]);
  await slow(page, 200_000);
  await start(page).click();
  await page.getByRole("button", { name: /^Sending [1-9]\d? %…$/ }).waitFor();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await note(page, /did not reach the server: nothing was started/);
  assert.equal(await runs(program), 0);
  // The form is usable, with its files.
  await slow(page, -1);
  assert.ok(await start(page).evaluate((button) => button === document.activeElement), "the button has lost the focus");
  await start(page).click();
  await page.waitForURL(/\/runs\//);
  assert.equal(await runs(program), 1);
});

promise("a start without an answer is not claimed and never doubled", async ({ use, open }) => {
  const program = await use(fixtures());
  // The run starts at once, and the answer takes longer than the person waits.
  const line = await use(openLine(program, { delay: 1_500 }));
  const { page } = await open(`${line.url}count/show_progress?total=2`);
  await start(page).focus();
  await start(page).click();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await note(page, /the run may have started/);
  assert.equal(await runs(program), 1);
  await start(page).click();
  await page.waitForURL(/\/runs\//);
  assert.equal(await runs(program), 1);
});

promise("a dead server and a sign-out leave the form usable", async ({ use, open }) => {
  const program = await use(fixtures());
  const { page } = await open(`${program.url}count/show_progress?total=2`, { allowed: [/Failed to load/] });
  const answers = [
    [(route) => route.abort("connectionrefused"), /did not reach the server|may have started/],
    [(route) => route.fulfill({ status: 200, contentType: "text/html", body: "<h1>Sign in</h1>" }), /^Signed out: sign in again$/],
    [(route) => route.fulfill({ status: 401, contentType: "text/html", body: "<h1>Sign in</h1>" }), /^Signed out: sign in again$/],
    [(route) => route.fulfill({ status: 413, contentType: "text/html", body: "<h1>413</h1>" }), /^A proxy in front of the server refused the files/],
    [(route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }), /the run may have started/],
  ];
  for (const [answer, said] of answers) {
    await page.route("**/start", answer);
    await start(page).click();
    await note(page, said);
    assert.ok(await start(page).isEnabled());
    await page.unroute("**/start");
  }
  assert.equal(await runs(program), 0);
  await start(page).click();
  await page.waitForURL(/\/runs\//);
});

promise("mistakes are found before a file is sent", async ({ use, open }) => {
  const program = await use(examples());
  const viewer = await open(`${program.url}demo/kitchen-sink/show_progress`, { allowed: [/status of 422/] });
  const { page } = viewer;
  const sent = [];
  page.on("request", (request) => { if (request.method() === "POST") sent.push(request.headers()["content-type"].split(";")[0]); });
  await at(page, "file").setInputFiles(file("large.csv", 900_000));
  await at(page, "api_key").fill("12345678");
  await start(page).click();
  await page.getByRole("alert").waitFor();
  assert.deepEqual(sent, ["application/x-www-form-urlencoded"]);
  assert.equal(await at(page, "file").evaluate(({ files }) => files[0].size), 900_000);
  assert.equal(await at(page, "api_key").inputValue(), "12345678");
});

promise("mistakes disappear as they are corrected", async ({ use, open }) => {
  const program = await use(examples());
  const viewer = await open(`${program.url}demo/kitchen-sink/show_progress`, { allowed: [/status of 422/] });
  const { page } = viewer;
  await at(page, "name").fill("x");
  await at(page, "address.zip").fill("1234");
  await start(page).click();
  const error = (place) => page.locator(`[id="field-${place}-error"]`);
  await error("name").waitFor();
  // In the words of the process.
  assert.equal(await error("address.zip").textContent(), "Enter five digits");
  const link = (place) => page.getByRole("alert").locator(`a[href="#field-${place}"]`);
  assert.equal(await link("name").count(), 1);
  await at(page, "name").pressSequentially("yz and more");
  await error("name").waitFor({ state: "detached" });
  assert.equal(await at(page, "name").getAttribute("aria-invalid"), null);
  assert.equal(await link("name").count(), 0);
  assert.ok(await at(page, "name").evaluate((input) => input === document.activeElement), "the focus has moved");
  // A new mistake is shown where it was made, and others stay.
  await at(page, "name").fill("");
  await error("name").waitFor();
  assert.equal(await at(page, "name").getAttribute("aria-invalid"), "true");
  assert.equal(await link("address.zip").count(), 1);
  await at(page, "address.zip").fill("12345");
  await error("address.zip").waitFor({ state: "detached" });
});

// An answer without a page, at which Chromium would complain if it were read as one.
promise("the last mistake disappears with its summary", async ({ use, open }) => {
  const program = await use(fixtures());
  const { page } = await open(`${program.url}count/show_progress`, { allowed: [/status of 422/] });
  await at(page, "total").fill("-5");
  await start(page).click();
  await page.getByRole("alert").waitFor();
  const checked = page.waitForResponse((response) => response.status() === 204);
  await at(page, "total").fill("3");
  await checked;
  await page.getByRole("alert").waitFor({ state: "detached" });
  assert.equal(await page.locator("[aria-invalid]").count(), 0);
});

promise("half a date and a large file are reported with the other mistakes", async ({ use, open }) => {
  const program = await use(examples());
  const { page } = await open(`${program.url}demo/kitchen-sink/show_progress`, { allowed: [/status of 422/] });
  const sent = [];
  page.on("request", (request) => { if (request.method() === "POST") sent.push(request.headers()["content-type"].split(";")[0]); });
  await at(page, "until").focus();
  await page.keyboard.type("12");
  await at(page, "file").setInputFiles(file("large.csv", (1 << 20) + 1));
  await start(page).click();
  const error = (place) => page.locator(`[id="field-${place}-error"]`);
  await error("until").filter({ hasText: "a date such as 2026-11-21" }).waitFor();
  await error("file").filter({ hasText: "The file must be 1 MiB or smaller" }).waitFor();
  await page.getByRole("alert").getByRole("link", { name: /Name/ }).waitFor();
  assert.deepEqual(sent, ["application/x-www-form-urlencoded"]);
  // Both are as they were left.
  assert.ok(await at(page, "until").evaluate(({ type, validity }) => type === "date" && validity.badInput));
  assert.equal(await at(page, "file").evaluate(({ files }) => files[0].name), "large.csv");
  await at(page, "file").setInputFiles(file("small.csv", 10));
  await error("file").waitFor({ state: "detached" });
  await at(page, "until").fill("2026-12-24");
  await error("until").waitFor({ state: "detached" });
});

promise("who comes back finds what was entered", async ({ use, open }) => {
  const program = await use(fixtures());
  const { page } = await open(`${program.url}fields/order/show_progress`, { allowed: [/status of 422/] });
  await at(page, "name").fill("Jo");
  await at(page, "delivery").selectOption({ index: 1 });
  await at(page, "address.street").fill("Elm Street 5");
  await at(page, "address.zip").fill("1234");
  await at(page, "lines.0.article").fill("pen");
  await at(page, "lines").getByRole("button", { name: /^Add/ }).click();
  await at(page, "lines.1.article").fill("ink");
  await start(page).click();
  await page.getByRole("alert").waitFor();
  await at(page, "address.zip").fill("12345");
  await start(page).click();
  await page.waitForURL(/\/runs\//);
  await page.goBack({ waitUntil: "commit" });
  await page.locator("form.start").waitFor();
  for (const [place, value] of [["address.street", "Elm Street 5"], ["address.zip", "12345"], ["lines.0.article", "pen"], ["lines.1.article", "ink"]]) {
    assert.equal(await at(page, place).inputValue(), value);
  }
  assert.equal(await page.getByRole("alert").count(), 0);
  await start(page).click();
  await page.waitForURL(/\/runs\//);
  assert.equal(await runs(program), 2);
});

promise("inputs are validated before confirm asks about them", async ({ use, open }) => {
  const program = await use(fixtures());
  const { page } = await open(`${program.url}fields/deletes/show_progress`, { allowed: [/status of 4(22|28)/] });
  await at(page, "copies").fill("-1");
  await start(page).click();
  await page.getByRole("alert").getByRole("link", { name: /Copies/ }).waitFor();
  assert.equal(await page.getByRole("dialog").count(), 0);
  await at(page, "copies").fill("7");
  await start(page).click();
  await page.getByRole("dialog", { name: 'Really delete "everything", 7 times?' }).waitFor();
  await page.getByRole("button", { name: "Yes, start" }).click();
  await page.waitForURL(/\/runs\//);
  assert.equal(await runs(program), 1);
});

promise("fields named like properties of a form hide nothing", async ({ use, open }) => {
  const program = await use(fixtures());
  const { page } = await open(`${program.url}fields/hides-properties/show_progress`, { allowed: [/status of 4(22|28)/] });
  await start(page).click();
  await page.getByRole("alert").getByRole("link", { name: /Action/ }).waitFor();
  await at(page, "action").fill("tidy up");
  await at(page, "elements").fill("3");
  await at(page, "dataset").setInputFiles(file("a.csv", 900));
  await start(page).click();
  await page.getByRole("dialog", { name: "Really tidy up?" }).getByRole("button", { name: "Yes, start" }).click();
  await page.waitForURL(/\/runs\//);
  const { id, input } = (await program.json("/runs")).runs[0];
  assert.deepEqual([input.action, input.elements, input.dataset.name], ["tidy up", 3, "a.csv"], id);
});
