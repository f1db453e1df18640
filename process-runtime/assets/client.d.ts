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

/** The numbers of a bar. Counts beyond 2^53 are strings. */
export interface Bar {
  /** 0 to 100; null if unknown. */
  percent: number | null;
  current: number | string | null;
  total: number | string | null;
}

/** What was known when the run had executed for `at_ms`. Subtract the time since from `left_ms`. */
export interface Estimate {
  /** Steps of the bar per second; null if the process counts none. */
  rate: number | null;
  /** The time left of the whole run, in milliseconds; null if it is unknown. */
  left_ms: number | null;
  /** The `elapsed_ms` of the run at which this was so. */
  at_ms: number;
  /** For how long after `at_ms` this holds without further progress, in milliseconds. */
  good_for_ms: number;
}

/** A named part of a run, with a bar of its own. */
export interface Stage extends Bar {
  name: string;
  /** The number of the stage, from 1, if the process gave it. */
  index: number | null;
  /** The number of stages, if the process gave it. */
  of: number | null;
  /** `elapsed_ms` of the run when the stage began. */
  started_ms?: number;
}

/** A finished stage, and how long the run was in it, in milliseconds. */
export interface PastStage extends Omit<Stage, keyof Bar> {
  elapsed_ms: number;
}

/** An item that failed while the run continued. */
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
  /** True if a browser can display it, at `url` with `?inline`. */
  viewable?: boolean;
}

/** The last known state of a run. Times are RFC 3339 in UTC; counts beyond 2^53 are strings. */
export interface Run {
  id: string;
  /** The route of its process, such as `admin/backup-system`. */
  process: string;
  /** Its number among the runs of the process, from 1. */
  number: number;
  title: string;
  status: RunStatus;
  /** A pause was requested, and the run has not reached a save yet. */
  pausing: boolean;
  /** The run executes, but has not reported for a long time. */
  stalled: boolean;
  /** Of the run, 0 to 100, with all of its stages; null if unknown. */
  percent: number | null;
  current: number | string | null;
  total: number | string | null;
  /** The total that was reported first, if it has grown since. */
  first_total: number | string | null;
  /** The bar of a loop inside of the loop that moves the bar. */
  inner: Bar | null;
  /** The rate and the time left; null if too little is known, and unless the run executes. */
  estimate: Estimate | null;
  /** How long each stage took in earlier runs, in milliseconds. Absent if there are none. */
  stage_weights?: number[];
  /** The line under the bar. */
  text: string;
  stage: Stage | null;
  /** The finished stages, at most the newest 20. */
  stages: PastStage[];
  /** The counts of outcomes, by name. */
  counts: Record<string, number | string>;
  /** The number of warnings and errors in the log. */
  warnings: number;
  /** The number of lines that the log has lost because it grew too long. */
  omitted_lines: number;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** The earliest time of the next attempt. */
  due_at: string | null;
  /** How long the run has executed, without pauses, in milliseconds. */
  elapsed_ms: number;
  attempt: number;
  actor: string | null;
  /** The node that executes the run or executed it last, if several nodes share the store. */
  node?: string;
  input: Record<string, unknown>;
  /** The return value, once the run has succeeded. Integers beyond 2^53 are bigints if the browser supports it. */
  result: unknown;
  /** The error message, for people. */
  error: string | null;
  /** The errors that caused it, from the nearest to the root. */
  causes: string[];
  /** Where a retry continues; null when it starts over. */
  resume: { percent: number | null } | null;
  files: RunFile[];
  /** The first 100 failed items. `counts.failed` is the number of all. */
  failed_items: FailedItem[];
  links: Record<string, string>;
}

/** One line of a run's log. */
export interface LogLine {
  run?: string;
  /** The line number, from 1. A gap means omitted lines. */
  seq: number;
  at: string;
  level: "debug" | "info" | "warn" | "error";
  text: string;
  /** The parts that a tool wrote in colour: start and length in characters (code points), and the style, as `bold red`. */
  styles?: [start: number, length: number, style: string][];
}

/**
 * The lines of a log after the line number `after`. `last` is the number of the newest line; the lines up to it that
 * are missing here follow as events.
 */
export interface LogTail {
  after: number;
  last: number;
  lines: LogLine[];
  /** Omitted lines between these: their number, and the line number before them. */
  omitted: { after: number; lines: number }[];
}

/** The events of a connection, and their data. */
export interface ConnectionEvents {
  /** The whole run: first, after each reconnect, and every few seconds while polling. `log` only if it was requested. */
  snapshot: { run: Run; log?: LogTail };
  /** The current progress. At most 20 per second; the latest always arrives. */
  progress: Run;
  /** One line of the log. Each line arrives once, except that a new snapshot may repeat some. */
  log: LogLine;
  /** The end of the run. No event follows. */
  end: Run;
  /** The run does not exist, was removed, or is not visible to this person. No event follows. */
  gone: Run | null;
  /** The connection was lost or is open again, as `isLost`, `isSignedOut` and `isPolling` say. It reconnects automatically. */
  connection: { lost: boolean; signedOut: boolean; polling: boolean };
}

export interface ConnectOptions {
  /** Receive log lines. Default: true. */
  log?: boolean;
  /** Keep the connection while the page is hidden. Default: false. A shared worker always keeps it. */
  background?: boolean;
  /** The known state of the run. A run that has ended is not requested. */
  run?: Run | null;
  /** Receive log lines after this position, the `id` of an event. */
  last?: string;
}

/** A connection to one run, over the stream that all pages of the browser share. */
export class Connection extends EventTarget {
  readonly id: string;
  /** The run's address. */
  readonly address: string;
  /** The last known state of the run; null before the first snapshot. */
  readonly run: Run | null;
  /** True while the connection is lost: nothing is known of the run since. */
  readonly isLost: boolean;
  /**
   * True while the person must sign in again: requests are answered with 401, by a redirect, or by a page instead of
   * JSON. The connection is lost meanwhile, and open again soon after the person has signed in, in any window.
   */
  readonly isSignedOut: boolean;
  /** True while a proxy holds the stream back: a visible page asks every few seconds instead. */
  readonly isPolling: boolean;
  /** True if the run has ended or is gone. */
  readonly isOver: boolean;
  background: boolean;
  /** Closes the connection; the run continues. */
  close(): void;
  /**
   * Cancels the run; with `force`, ends a run that does not stop. Rejects with the server's message and `status` if it
   * was refused, and without a status if nobody knows whether the request has arrived: the events tell. After a sign-out,
   * `isSignedOut` is true.
   */
  cancel(options?: { force?: boolean }): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  addEventListener<Name extends keyof ConnectionEvents>(
    name: Name, listener: (event: CustomEvent<ConnectionEvents[Name]>) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(name: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<Name extends keyof ConnectionEvents>(
    name: Name, listener: (event: CustomEvent<ConnectionEvents[Name]>) => void, options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(name: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/**
 * Connects to the run at `address`, such as `/processes/runs/{id}`.
 *
 * @throws TypeError if this is not the address of a run.
 */
export function connect(address: string, options?: ConnectOptions): Connection;

/** The rejection of `start`: the server's message, and the error of each field. The status is 401 after a sign-out. */
export interface StartError extends Error {
  status: number;
  errors: { field: string; message: string }[];
}

/**
 * Starts a run of the process at `address`, such as `/processes/recalculate-prices`, and connects to it. `key` is an
 * idempotency key: the same key returns the same run. `confirmed` confirms a process that asks before it starts.
 */
export function start(
  address: string, input?: Record<string, unknown>, options?: ConnectOptions & { key?: string; confirmed?: boolean },
): Promise<Connection>;
