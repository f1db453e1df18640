// The outcome of a run: its error, and below its bar the result, files and failed items. The server's outcome.rs renders the same elements;
// change both together.

import { copy } from "./copy.js";
import { make } from "./elements.js";
import { around, size, t } from "./texts.js";
import { shown } from "./values.js";
import { staged, wording } from "./words.js";

const SHOWN = 5; // failed items shown at once

/** Why a run failed, and what it was doing; `before` is a function that gives the lines before it. */
export function failure({ id, title, status, error, causes = [], stage }, before) {
  const [message, ...rest] = error.trimEnd().split("\n");
  const section = make("section", { class: "failure" }, make("h2", { class: "unseen" }, wording({ status })),
    make("p", { class: "message", dir: "auto" }, message)), lines = before(message);
  if (causes.length) {
    section.append(make("div", { class: "causes" }, make("p", { class: "soft" }, t("run.caused_by")),
      make("ul", {}, ...causes.map((cause) => make("li", {}, make("bdi", {}, cause))))));
  }
  if (stage) section.append(make("p", {}, t("run.failed_at", { stage: staged(stage) })));
  if (lines.length) section.append(make("ol", { class: "lines", "aria-label": t("run.before_failure") }, ...lines));
  if (rest.length > 0) {
    section.append(make("details", {}, make("summary", {}, t("run.more")),
      make("pre", { tabindex: "0", dir: "auto" }, rest.join("\n"))));
  }
  section.append(make("p", { class: "soft" }, ...around("run.id_is", "id", make("code", { dir: "ltr" }, id)), " ",
    copy(t("action.copy"), t("run.copied_error", { title, error: [error, ...causes].join(": "), id }))));
  return section;
}

function result(run, address, saves) {
  const heading = make("h2", {}, t("run.result"));
  if (run.result === null || run.result === undefined) {
    return make("section", { class: "result" }, heading, make("p", { class: "soft" }, t("run.no_result")));
  }
  const header = make("header", {}, heading);
  if (saves) header.append(make("a", { href: `${address}/result`, download: true }, t("action.download")));
  return make("section", { class: "result" }, header, shown(run.result));
}

function file({ name, viewable }, address, saves) {
  if (!saves) return [make("bdi", {}, name)];
  const href = `${address}/files/${encodeURIComponent(name)}`;
  const save = make("a", { href, download: name, dir: "auto" }, name);
  // It says of which file it is to those who hear the link alone.
  const label = t("run.view_file", { name });
  return viewable ? [save, " ", make("a", { href: `${href}?inline`, "aria-label": label }, t("action.view"))] : [save];
}

const files = (offered, address, saves) => make("section", { class: "files" }, make("h2", {}, t("run.files")),
  make("ul", {}, ...offered.map((one) => make("li", {}, ...file(one, address, saves), " ",
    make("span", { class: "soft" }, size(one.size))))));

const items = (failed) => make("dl", { class: "fields" }, ...failed.map(({ item, reason }) =>
  make("div", {}, make("dt", { dir: "auto" }, item), make("dd", { dir: "auto" }, reason))));

function failedItems(failed, all, address) {
  const rest = failed.slice(SHOWN);
  const section = make("section", { class: "items" }, make("header", {}, make("h2", {}, t("run.failed_items", { n: all })),
    make("a", { href: `${address}/log?level=error` }, t("run.all_failed", { n: all }))), items(failed.slice(0, SHOWN)));
  if (rest.length > 0) section.append(make("details", {}, make("summary", {}, t("run.more_items", { n: rest.length })), items(rest)));
  const unlisted = Number(all) - failed.length;
  if (unlisted > 0) section.append(make("p", { class: "soft" }, t("run.unlisted_items", { n: unlisted })));
  return section;
}

/** `saves` is the permission to download. */
export function outcome(run, address, saves) {
  const { files: offered, failed_items: failed, status } = run;
  const parts = [];
  const isEmpty = run.result === null || run.result === undefined;
  if (!isEmpty || (status === "succeeded" && !offered?.length)) parts.push(result(run, address, saves));
  if (offered?.length) parts.push(files(offered, address, saves));
  if (failed?.length) parts.push(failedItems(failed, run.counts?.failed ?? failed.length, address));
  return parts;
}
