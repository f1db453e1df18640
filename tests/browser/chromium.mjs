// The browser: where it is, how it is started, and that there is one of it.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

function executable() {
  if (process.env.PROCESS_CHROMIUM) return process.env.PROCESS_CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const all = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = all.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) throw new Error("no Chromium: set PROCESS_CHROMIUM to its path");
  return found;
}

let launched;

/** The browser; it is started when it is first wanted. */
export const browser = () => (launched ??= chromium.launch({
  executablePath: executable(), args: ARGUMENTS, ignoreDefaultArgs: ["--disable-back-forward-cache"],
}));

export const closeBrowser = async () => (await launched)?.close();
