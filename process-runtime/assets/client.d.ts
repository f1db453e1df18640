// The types of client.js: a run followed without any element.
//
//     import { connect } from "/processes/assets/client.js";
//
//     const run = connect("/processes/runs/0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f");
//     run.addEventListener("progress", ({ detail }) => console.log(detail.percent, detail.text));
//     run.addEventListener("end", ({ detail }) => console.log(detail.status, detail.result));

/** Where a run stands. */
export type RunStatus =
  | "queued" | "running" | "paused" | "cancelling"
  | "succeeded" | "failed" | "cancelled" | "interrupted";

/** A named part of a run, with a bar of its own. */
export interface Stage {
  name: string;
  /** Its place among all stages, from 1, where the process said so. */
  index: number | null;
  /** How many stages there are, where the process said so. */
  of: number | null;
  /** For how long the run had run when it began, in milliseconds. */
  started_ms?: number;
}

/** A stage that the run has left, and how long it was in it, in milliseconds. */
export interface PastStage extends Stage {
  elapsed_ms: number;
}

/** An item of the work that failed while the run went on. */
export interface FailedItem {
  item: string;
  reason: string;
}

/** A file that a run offers, at `url`. */
export interface RunFile {
  name: string;
  /** In bytes. */
  size: number;
  type?: string;
  url?: string;
  /** A browser shows it at `url` with `?inline`. */
  viewable?: boolean;
}

/** A run as it is known. Times are RFC 3339 in UTC; counts beyond 2^53 are text. */
export interface Run {
  id: string;
  /** The route of its process, such as `admin/backup-system`. */
  process: string;
  /** Its number among the runs of the process, from 1. */
  number: number;
  title: string;
  status: RunStatus;
  /** It was asked to pause, and has not come to a place where it can. */
  pausing: boolean;
  /** It is executed, but has not been heard of for long. */
  stalled: boolean;
  /** 0 to 100; null when nobody knows. Within a stage it never falls. */
  percent: number | null;
  current: number | string | null;
  total: number | string | null;
  /** The line under the bar. */
  text: string;
  stage: Stage | null;
  /** The stages it has left, the latest 20. */
  stages: PastStage[];
  /** Outcomes that were counted, by name. */
  counts: Record<string, number | string>;
  /** How many warnings and errors are in its log. */
  warnings: number;
  /** How many lines of its log are not kept, because it had grown too long. */
  omitted_lines: number;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** When it is tried again at the earliest. */
  due_at: string | null;
  /** How long it has run, without the time it was paused, in milliseconds. */
  elapsed_ms: number;
  attempt: number;
  actor: string | null;
  input: Record<string, unknown>;
  /** What it returned, once it has succeeded. Integers beyond 2^53 are bigints where the browser can tell. */
  result: unknown;
  /** Why it failed, in words for people. */
  error: string | null;
  files: RunFile[];
  /** The first 100 items that failed. How many failed in all, is under `failed` in `counts`. */
  failed_items: FailedItem[];
  links: Record<string, string>;
}

/** One line of a run's log. */
export interface LogLine {
  run?: string;
  /** Its number in the log, from 1. A gap means lines that were not kept. */
  seq: number;
  at: string;
  level: "debug" | "info" | "warn" | "error";
  text: string;
}

/**
 * Lines of a log: those after the line number `after`. The newest line there is, is `last`; what is missing up to there
 * follows as events.
 */
export interface LogTail {
  after: number;
  last: number;
  lines: LogLine[];
  /** Between these lines, those that are not kept: so many of them after the line number `after`. */
  omitted: { after: number; lines: number }[];
}

/** What a connection tells, and with what. */
export interface ConnectionEvents {
  /** The run as a whole: first, and each time the line was opened anew. `log` only where it was asked for. */
  snapshot: { run: Run; log?: LogTail };
  /** How far it is now. At most 20 a second; the latest always arrives. */
  progress: Run;
  /** One line of the log. None is left out or comes twice, but for those that a fresh snapshot brings again. */
  log: LogLine;
  /** How it ended. Nothing follows. */
  end: Run;
  /** The run is not there, or not any more, or not for this person. Nothing follows. */
  gone: Run | null;
  /** The line was cut, or is there again. It is opened again by itself. */
  connection: { lost: boolean };
}

export interface ConnectOptions {
  /** With the log's lines; without it, true. */
  log?: boolean;
  /** Keeps the line while the page is out of sight; without it, false. A shared worker keeps it in any case. */
  background?: boolean;
  /** What is known of the run already. One that has ended is not asked for. */
  run?: Run | null;
  /** The position behind which the log is wanted: the `id` of an event. */
  last?: string;
}

/** A run that is followed, over the one line that all pages of the browser share. */
export class Connection extends EventTarget {
  readonly id: string;
  /** The run's address. */
  readonly address: string;
  /** The run as it is known, or null before the first snapshot. */
  readonly run: Run | null;
  /** The line is cut at this moment. */
  readonly isLost: boolean;
  /** The run has ended, or is gone. */
  readonly isOver: boolean;
  /** Somebody has to sign in again to see the run. */
  readonly isSignedOut: boolean;
  background: boolean;
  /** Ends the following; the run goes on. */
  close(): void;
  /** Asks the run to end; with `force`, gives up one that does not. Rejects with the server's words and its `status`. */
  cancel(options?: { force?: boolean }): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  addEventListener<Name extends keyof ConnectionEvents>(
    name: Name, hear: (event: CustomEvent<ConnectionEvents[Name]>) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(name: string, hear: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<Name extends keyof ConnectionEvents>(
    name: Name, hear: (event: CustomEvent<ConnectionEvents[Name]>) => void, options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(name: string, hear: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/**
 * Follows the run at `address`, such as `/processes/runs/{id}`.
 *
 * @throws TypeError when that is no address of a run.
 */
export function connect(address: string, options?: ConnectOptions): Connection;

/** What `start` rejects with: the server's words, and what was wrong with each field. */
export interface StartError extends Error {
  status: number;
  errors: { field: string; message: string }[];
}

/**
 * Starts a run of the process at `address`, such as `/processes/recalculate-prices`, and follows it. The same `key`
 * gives the same run. `confirmed` answers a process that asks first.
 */
export function start(
  address: string, input?: Record<string, unknown>, options?: ConnectOptions & { key?: string; confirmed?: boolean },
): Promise<Connection>;
