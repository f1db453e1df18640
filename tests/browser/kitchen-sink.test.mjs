// A form with every kind of input: input is never lost, each error is shown at its field, and a form stores the same
// as JSON.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";

import { examine } from "./axe.mjs";
import { examples, fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const ROUTE = "demo/kitchen-sink";
const PATH = `${ROUTE}/show_progress`;
const refused = { allowed: [/status of 422/] };
const CSV = { name: "ä list.csv", mimeType: "text/csv", buffer: Buffer.from("a;b\n1;2\n") };

/** By the input's name; a list of texts is one of inputs. */
const TYPED = {
  name: "Summer sale", note: "two\nlines", sign: "ß", count: "17", number: "9007199254740995", percent: "12.5",
  limit: "-3", from: "2026-02-03", until: "2026-03-04", at: "14:30:05", meeting: "2026-05-06T07:08",
  deadline: "2026-05-06T07:08:09", pause: "2m 5s", shift: "-1h", id: "67e55044-10b1-426f-9247-bb680e5fe0c8",
  website: "https://example.org/a?b=c", email: "jörg@münchen.de", "address.street": "Main 1", "address.zip": "01234",
  "second_address.street": "Side 2", "second_address.zip": "54321", "lines.0.article": "A-1", "lines.0.quantity": "3",
  "lines.1.article": "B-2", "lines.1.quantity": "1", api_key: "12345678",
};
const CHOSEN = { size: "L", subscribed: "false", colour: "dark_blue" };

/** The same for a program. */
const JSON_INPUT = {
  name: "Summer sale", note: "two\nlines", size: "L", sign: "ß", count: 17, number: "9007199254740995", percent: 12.5,
  limit: -3, only_check: true, subscribed: false, from: "2026-02-03", until: "2026-03-04", at: "14:30:05",
  meeting: "2026-05-06T07:08:00", deadline: "2026-05-06T07:08:09Z", pause: "PT2M5S", shift: "-PT1H",
  id: "67e55044-10b1-426f-9247-bb680e5fe0c8", website: "https://example.org/a?b=c", email: "jörg@münchen.de",
  delivery: "shop", colour: "dark_blue", colours: ["red", "dark_blue"], tags: ["a", "b"],
  address: { street: "Main 1", zip: "01234" }, second_address: { street: "Side 2", zip: "54321" },
  lines: [{ article: "A-1", quantity: 3 }, { article: "B-2", quantity: 1 }], api_key: "12345678",
  file: { name: CSV.name, type: CSV.mimeType, content: CSV.buffer.toString("base64") },
};

const at = (page, place) => page.locator(`[id="field-${place}"]`);
const start = (page) => page.getByRole("button", { name: "Start", exact: true }).click();
const focused = (page) => page.evaluate(() => document.activeElement.id);

async function addLine(page) {
  await page.locator('[data-list="lines"] + [data-more]').click();
}

async function fillIn(page) {
  if (await at(page, "lines.1").count() === 0) await addLine(page);
  for (const [place, text] of Object.entries(TYPED)) await at(page, place).fill(text);
  for (const [place, value] of Object.entries(CHOSEN)) await at(page, place).selectOption(value);
  await page.getByLabel("Only check").check();
  await page.getByLabel("To a shop nearby").check();
  const colours = page.getByRole("group", { name: "Colours" });
  for (const colour of ["Red", "Dark blue"]) await colours.getByLabel(colour, { exact: true }).check();
  await at(page, "tags.0").fill("a");
  if (await at(page, "tags.1").count() === 0) await page.locator('[data-list="tags"] + [data-more]').click();
  await at(page, "tags.1").fill("b");
  await at(page, "file").setInputFiles(CSV);
}

/** The values of all inputs that are kept when a form comes back. */
const kept = (page) => page.locator("form[data-start]").evaluate((form) =>
  [...new FormData(form)].filter(([name, value]) => name !== "idempotency-key" && name !== "api_key" && typeof value === "string"));

promise("all field errors are shown and can be corrected", async ({ use, open }) => {
  const program = await use(examples());
  const viewer = await open(program.url + PATH, refused);
  const { page } = viewer;
  await fillIn(page);
  const wrong = {
    name: "x", count: "501", percent: "12.3", until: "2026-01-15", pause: "soon", shift: "later", id: "no uuid", website: "nowhere",
    email: "nobody", sign: "ab", "address.zip": "1234", "second_address.street": "", "lines.1.quantity": "0", api_key: "short",
  };
  for (const [place, text] of Object.entries(wrong)) await at(page, place).fill(text);
  for (let index = 2; index < 6; index += 1) {
    await page.locator('[data-list="tags"] + [data-more]').click();
    await at(page, `tags.${index}`).fill(`t${index}`);
  }
  const before = await kept(page);
  const answered = page.waitForResponse((response) => response.request().method() === "POST");
  await start(page);
  assert.equal((await answered).status(), 422);
  const summary = page.getByRole("alert");
  await summary.waitFor();
  assert.ok(await summary.evaluate((node) => node === document.activeElement), "the summary has no focus");
  // What is beyond one field is looked at when the fields are right.
  const places = [...Object.keys(wrong).filter((place) => place !== "until"), "tags"];
  assert.equal(await summary.getByRole("link").count(), places.length);
  for (const place of places) {
    const input = at(page, place);
    if (place !== "tags") assert.equal(await input.getAttribute("aria-invalid"), "true", place);
    const described = (await input.getAttribute("aria-describedby")).split(" ").at(-1);
    const message = await page.locator(`[id="${described}"]`).textContent();
    assert.ok(message.length > 5, place);
    const link = summary.locator(`a[href="#field-${place}"]`);
    assert.ok((await link.textContent()).endsWith(message), `${place}: ${message}`);
    await link.press("Enter");
    assert.equal(await focused(page), `field-${place}`);
    const seen = await page.locator(`[id="${described}"]`).evaluate((node) => node.getBoundingClientRect().top);
    assert.ok(seen >= 0 && seen < 800, `the error of ${place} is out of sight`);
  }
  assert.equal(await page.locator("[aria-invalid]").count(), places.length - 1);
  const spare = [["lines.2.article", ""], ["lines.2.quantity", "1"], ["tags", ""]];
  // The groups that were given say so now.
  const marks = (await kept(page)).filter(([, value]) => value !== "given");
  assert.deepEqual(marks.map(String).sort(), [...before, ...spare].map(String).sort());
  // Secrets and files survive, which the server does not give back.
  assert.equal(await at(page, "api_key").inputValue(), wrong.api_key);
  assert.equal(await at(page, "file").evaluate(({ files }) => files[0].name), CSV.name);
  assert.equal(await page.locator(".again").count(), 0);

  for (let index = 5; index > 1; index -= 1) await page.getByRole("button", { name: `Remove Tags ${index + 1}` }).click();
  await fillIn(page);
  await at(page, "until").fill("2026-01-15");
  await start(page);
  await summary.getByRole("link", { name: /Until: Must not be before the start/ }).waitFor();
  assert.equal(await at(page, "until").getAttribute("aria-invalid"), "true");
  await fillIn(page);
  const id = await viewer.start();
  await viewer.status("Succeeded");
  const { File: file, Message: message } = await viewer.result();
  assert.deepEqual([file, message], [CSV.name, "2 tags, 2 colours, 2 lines"]);
  assert.equal((await program.json(`/runs/${id}`)).input.until, "2026-03-04");
});

promise("form, JSON and rerun store the same inputs", async ({ use, open }) => {
  const program = await use(examples());
  const viewer = await open(program.url + PATH);
  const { page } = viewer;
  const { input: expected } = await program.run(ROUTE, JSON_INPUT);
  await fillIn(page);
  const first = await viewer.start();
  await viewer.status("Succeeded");
  assert.deepEqual((await program.json(`/runs/${first}`)).input, expected);
  await page.getByRole("link", { name: "Edit and run again" }).click();
  await at(page, "name").waitFor();
  assert.equal(await at(page, "note").inputValue(), "two\nlines");
  assert.equal(await at(page, "lines.1.article").inputValue(), "B-2");
  assert.ok(await page.getByLabel("To a shop nearby").isChecked());
  assert.ok(!page.url().includes("12345678"));
  assert.equal(await at(page, "api_key").inputValue(), "");
  await at(page, "api_key").fill("12345678");
  await at(page, "file").setInputFiles(CSV);
  const second = await viewer.start();
  await viewer.status("Succeeded");
  assert.deepEqual((await program.json(`/runs/${second}`)).input, expected);
});

promise("empty optional groups and entries are omitted", async ({ use, open }) => {
  const program = await use(examples());
  const viewer = await open(`${program.url}${PATH}?percent=5`);
  const { page } = viewer;
  assert.equal(await at(page, "percent").inputValue(), "5");
  for (const place of ["name", "email", "address.street", "address.zip", "api_key"]) await at(page, place).fill(TYPED[place]);
  await page.getByLabel("To the door").check();
  const { input } = await program.json(`/runs/${await viewer.start()}`);
  const { name, email, address, delivery, api_key } = JSON_INPUT;
  const least = await program.run(ROUTE, { name, email, address, delivery: "door", api_key, percent: 5 });
  assert.equal(delivery, "shop");
  assert.deepEqual(input, least.input);
  assert.deepEqual([input.lines, input.second_address, input.tags], [[], null, []]);
});

promise("lists work without JavaScript", async ({ use, open }) => {
  const program = await use(examples());
  const query = new URLSearchParams([["tags", "a"], ["lines.0.article", "A-1"], ["lines.0.quantity", "3"]]);
  const viewer = await open(`${program.url}${PATH}?${query}`, { javaScriptEnabled: false });
  const { page } = viewer;
  assert.equal(await page.locator("[data-more]:visible").count(), 0);
  await at(page, "tags.1").fill("b");
  await at(page, "lines.1.article").fill("B-2");
  for (const [place, text] of Object.entries(TYPED)) await at(page, place).fill(text);
  for (const [place, value] of Object.entries(CHOSEN)) await at(page, place).selectOption(value);
  await page.getByLabel("Only check").check();
  await page.getByLabel("To a shop nearby").check();
  for (const colour of ["Red", "Dark blue"]) await page.getByRole("group", { name: "Colours" }).getByLabel(colour, { exact: true }).check();
  await at(page, "file").setInputFiles(CSV);
  const { input } = await program.json(`/runs/${await viewer.start()}`);
  assert.deepEqual(input, (await program.run(ROUTE, JSON_INPUT)).input);
});

promise("the keyboard adds and removes list entries", async ({ use, open }) => {
  const program = await use(examples());
  const { page } = await open(program.url + PATH);
  await at(page, "tags.0").fill("a");
  for (const step of ["Remove", "Add another"]) {
    await page.keyboard.press("Tab");
    assert.match(await page.evaluate(() => document.activeElement.textContent), new RegExp(step));
  }
  await page.keyboard.press("Enter");
  assert.equal(await focused(page), "field-tags.1");
  assert.equal(await page.evaluate(() => document.activeElement.value), "");
  await page.keyboard.type("b");
  await page.getByRole("textbox", { name: "Tags 2" }).waitFor();

  await at(page, "lines.0.article").fill("A-1");
  await at(page, "lines.0.quantity").fill("7");
  await page.getByRole("button", { name: "Add another: Order lines" }).press("Space");
  assert.equal(await focused(page), "field-lines.1.article");
  assert.deepEqual([await at(page, "lines.1.article").inputValue(), await at(page, "lines.1.quantity").inputValue()], ["", "1"]);
  const second = page.getByRole("group", { name: "Order lines 2", exact: true });
  await second.getByLabel("Article").fill("B-2");
  assert.equal(await second.getByLabel("Article").getAttribute("name"), "lines.1.article");
  assert.equal(await second.getByLabel("Article").getAttribute("aria-describedby"), "field-lines.1.article-help");

  await page.getByRole("button", { name: "Remove Order lines 1" }).press("Enter");
  assert.equal(await at(page, "lines.0.article").inputValue(), "B-2");
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), "Remove Order lines 1");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator('[data-list="lines"] > *').count(), 0);
  await page.keyboard.press("Enter");
  assert.equal(await focused(page), "field-lines.0.article");
});

promise("the browser accepts what the server accepts", async ({ use, open }) => {
  const program = await use(examples());
  const viewer = await open(`${program.url}${PATH}?count=7.5&name=x&limit=%2B5`);
  const { page } = viewer;
  // What was there before is no measure for what may come.
  assert.equal(await at(page, "limit").inputValue(), "+5");
  await fillIn(page);
  await at(page, "name").fill("😀".repeat(40));
  await at(page, "limit").fill("+5");
  const invalid = await page.locator(":invalid").evaluateAll((all) => all.map((one) => one.outerHTML));
  assert.deepEqual(invalid, []);
  const { input } = await program.json(`/runs/${await viewer.start()}`);
  assert.deepEqual([input.name.length, input.limit], [80, 5]);
});

promise("a file over the limit is reported", async ({ use, open }) => {
  const program = await use(examples());
  const large = { name: "a.csv", mimeType: "text/csv", buffer: Buffer.alloc((1 << 20) + 1, 97) };
  for (const javaScriptEnabled of [true, false]) {
    const { page } = await open(program.url + PATH, { javaScriptEnabled, allowed: [/status of (413|422)/] });
    for (const place of ["name", "email", "percent", "address.street", "address.zip", "api_key"]) await at(page, place).fill(TYPED[place]);
    await page.getByLabel("To the door").check();
    await at(page, "file").setInputFiles(large);
    await start(page);
    if (javaScriptEnabled) {
      // Before it is sent; the line disappears with the mistake.
      const error = page.locator('[id="field-file-error"]');
      await error.filter({ hasText: "must be 1 MiB or smaller" }).waitFor();
      await at(page, "file").setInputFiles(CSV);
      await error.waitFor({ state: "detached" });
    } else {
      await page.getByText("must be 1 MiB or smaller").waitFor();
    }
  }
  assert.equal((await program.json("/runs")).runs.length, 0);
});

promise("a form with lists is stable and small", async ({ use, open }) => {
  const program = await use(examples());
  const viewer = await open(program.url + PATH, { viewport: { width: 390, height: 4_000 } });
  await viewer.page.getByRole("button", { name: "Add another: Tags" }).waitFor();
  await viewer.page.evaluate(() => new Promise((painted) => { requestAnimationFrame(() => requestAnimationFrame(painted)); }));
  assert.equal(await viewer.page.evaluate(() => window.seen.shift), 0);
  const weight = (await Promise.all(viewer.requests.filter(({ type }) => ["document", "stylesheet", "script"].includes(type))
    .map(async ({ url }) => Buffer.from(await (await fetch(url, { headers: { accept: "text/html" } })).arrayBuffer()))))
    .reduce((sum, body) => sum + gzipSync(body, { level: 6 }).length, 0);
  assert.ok(weight > 5_000 && weight <= 25_000, `${weight} bytes`);
});

promise("one input uploads several files", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}gather/show_progress`, refused);
  const { page } = viewer;
  await at(page, "files").setInputFiles(CSV);
  await start(page);
  await page.getByRole("alert").getByRole("link", { name: /Files: Enter at least 2/ }).press("Enter");
  assert.equal(await focused(page), "field-files");
  assert.equal(await at(page, "files").getAttribute("aria-invalid"), "true");
  assert.equal(await at(page, "files").evaluate(({ files }) => files.length), 1);
  await at(page, "files").setInputFiles([CSV, { ...CSV, name: "b.csv" }]);
  const id = await viewer.start();
  await viewer.status("Succeeded");
  assert.deepEqual(await program.log(id), [CSV.name, "b.csv"]);
});

promise("invalid checkbox values are reported at the fieldset", async ({ use, open }) => {
  const program = await use(examples());
  const viewer = await open(program.url + PATH, refused);
  const { page } = viewer;
  const red = page.getByRole("group", { name: "Colours" }).getByLabel("Red");
  await red.evaluate((box) => { box.value = "pink"; });
  await red.check();
  await start(page);
  await page.getByRole("alert").getByRole("link", { name: /Colours 1: .*pink/ }).press("Enter");
  assert.equal(await focused(page), "field-colours");
  assert.match(await page.locator("#field-colours-error").textContent(), /pink/);
});

promise("a form with every input passes axe", async ({ use, open }) => {
  const program = await use(examples());
  const viewer = await open(program.url + PATH, refused);
  const { page } = viewer;
  await examine(viewer);
  await page.setViewportSize({ width: 320, height: 640 });
  const { wide, low } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth > innerWidth,
    low: [...document.querySelectorAll("button, input, select, textarea, label.tick")].filter((one) =>
      one.type !== "hidden" && !one.closest("label") && one.checkVisibility()).concat(...document.querySelectorAll("label.tick"))
      .filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.outerHTML),
  }));
  assert.ok(!wide, "it scrolls sideways");
  assert.deepEqual(low, []);
  await at(page, "count").fill("0");
  await at(page, "lines.0.article").fill("A");
  await at(page, "lines.0.quantity").fill("0");
  await at(page, "second_address.zip").fill("1");
  await at(page, "file").setInputFiles(CSV);
  await start(page);
  await page.getByRole("alert").waitFor();
  await examine(viewer);
  await page.setViewportSize({ width: 320, height: 640 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the mistakes scroll sideways");
});

promise("confirm starts nothing before Yes", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}erase/show_progress`, { allowed: [/status of 428/] });
  const { page } = viewer;
  await page.getByLabel("What").fill("the attic");
  await start(page);
  const dialog = page.getByRole("dialog", { name: "Really erase everything?" });
  await dialog.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Cancel");
  await examine(viewer);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Start");
  assert.equal((await program.json("/runs")).runs.length, 0);
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal((await program.json("/runs")).runs.length, 0);
  await start(page);
  await dialog.getByRole("button", { name: "Yes, start" }).dblclick();
  const id = await viewer.atRun();
  await viewer.status("Succeeded");
  assert.deepEqual(await program.log(id), ["erased the attic"]);
  assert.equal((await program.json("/runs")).runs.length, 1);
  // Who comes back is asked again.
  await page.goBack({ waitUntil: "commit" });
  await start(page);
  await dialog.waitFor();
});

promise("confirm works without JavaScript", async ({ use, open }) => {
  const program = await use(fixtures());
  const viewer = await open(`${program.url}erase/show_progress`, { javaScriptEnabled: false, allowed: [/status of 428/] });
  const { page } = viewer;
  await page.getByLabel("What").fill("the attic");
  const answered = page.waitForResponse((response) => response.request().method() === "POST");
  await start(page);
  assert.equal((await answered).status(), 428);
  await page.getByRole("heading", { name: "Really erase everything?" }).waitFor();
  assert.equal(await page.getByLabel("What").inputValue(), "the attic");
  assert.equal((await program.json("/runs")).runs.length, 0);
  await page.getByRole("button", { name: "Yes, start" }).click();
  const id = await viewer.atRun();
  await program.until(id, ({ status }) => status === "succeeded");
  assert.deepEqual(await program.log(id), ["erased the attic"]);
});

promise("a large Latin-1 CSV file is imported live", async ({ use, open }) => {
  const program = await use(examples({ pace: 1 }));
  const viewer = await open(`${program.url}import-users/show_progress`);
  const { page } = viewer;
  const count = 20_000;
  const rows = Array.from({ length: count }, (_, index) =>
    `Jörg Müller ${index};user${index}@example.org;2024-02-${String(index % 28 + 1).padStart(2, "0")};DE;${"ä note; quoted".replace(";", ",").repeat(8)}`);
  const buffer = Buffer.from(["name;email;joined;country;note", ...rows, "broken;nobody;2024-01-01;DE;"].join("\r\n"), "latin1");
  assert.ok(buffer.length > 3_000_000, `${buffer.length} bytes`);
  await at(page, "file").setInputFiles({ name: "users.csv", mimeType: "text/csv", buffer });
  const id = await viewer.start();
  await viewer.status("Completed with warnings");
  const result = await viewer.result();
  assert.deepEqual([result.Total, result.Imported, result.Broken], ["20,001", "20,000", "1"]);
  assert.equal((await program.json(`/runs/${id}`)).input.file.size, buffer.length);
  const log = (await viewer.texts()).join("\n");
  assert.match(log, /semicolon/i);
  assert.match(log, /line 20002/);
});
