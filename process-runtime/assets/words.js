// The texts shown of a run: its state, numbers and counts. The server's words.rs writes the same; change both
// together.

import { ENDED } from "./connect.js";
import { isolated, number, t } from "./texts.js";

export function wording({ status, pausing, stalled, due_at, warnings }) {
  if (status === "running" && pausing) return t("status.pausing");
  if (status === "running" && stalled) return t("status.stalled");
  if (status === "queued" && due_at) return t("status.retrying");
  if (status === "succeeded" && warnings) return t("status.warned");
  return t(`status.${status}`);
}

// The state that determines mark and colour.
export const toned = ({ status, pausing, stalled, warnings }) =>
  status === "running" && pausing ? "paused" : status === "running" && stalled ? "stalled"
    : status === "succeeded" && warnings ? "warned" : status;

// How full the bar is, null if unknown, and the same as text. Never full before the run has succeeded.
export const fullness = ({ status, percent }) =>
  status === "succeeded" ? 100 : percent === null || ENDED.has(status) ? percent : Math.min(percent, 99);

// The same of the current stage, or of the run if it has none.
export const stageFullness = ({ status, percent, stage }) => fullness({ status, percent: stage ? stage.percent ?? null : percent });

export function percentage({ status, percent, current, total }) {
  // It may have succeeded without all of its steps.
  if (status === "succeeded") return total && current !== null && BigInt(current) < BigInt(total) ? t("status.done") : t("percent", { n: 100 });
  if (status === "queued") return t("bar.waiting");
  if (percent === null) return status === "running" ? t("bar.working") : t("bar.unknown");
  return percent >= 100 && !ENDED.has(status) ? t("bar.finishing") : t("percent", { n: Math.floor(percent) });
}

// Beyond 2^53, the server sends them as strings.
export const whole = (count) => number(typeof count === "string" ? BigInt(count) : count);

export function steps({ current, total, first_total: first }) {
  if (current === null) return "";
  if (first) return t("bar.steps_grew", { current: whole(current), total: whole(total), first: whole(first) });
  return total === null ? t("bar.steps_so_far", { current: whole(current) })
    : t("bar.steps", { current: whole(current), total: whole(total) });
}

// What a run said it was doing is no longer so once it has ended.
export const lineOf = ({ status, text }) =>
  !text || status === "succeeded" ? "" : ENDED.has(status) ? t("bar.last_text", { text }) : text;

export function staged(stage) {
  if (!stage) return "";
  const { index, of, name } = stage;
  if (index === null) return name;
  return of === null ? `${number(index)} · ${isolated(name)}` : t("stage.of", { index, of, name });
}

// A run that has not executed: its time is its waiting time.
export const waits = ({ status, started_at }) => status === "queued" && !started_at;

export const tookWords = (run) => t(ENDED.has(run.status) ? "run.took" : waits(run) ? "run.waiting"
  : run.status === "paused" || run.status === "queued" ? "run.has_run_for" : "run.running_for");

// What a retry is called: it resumes where the run has saved its place.
export function resumes(resume) {
  if (!resume) return t("action.start_over");
  return resume.percent === null ? t("action.resume") : t("action.resume_from", { percent: t("percent", { n: Math.floor(resume.percent) }) });
}

const LEVELS = { debug: "level.debug", warn: "level.warn", error: "level.error" };
export const levelWord = (level) => (LEVELS[level] ? t(LEVELS[level]) : "");
