import type { Clock, Logger, Timer } from '@ring3/core';
import type { Connection } from './connection.ts';

/** How an orderly end is bounded. */
export interface DrainOptions {
  /** Clients that still wait for an answer then are disconnected; 30 s unless given. */
  readonly deadlineMs?: number;
  /** Is told every second what is being waited for; without it the log is. */
  readonly waiting?: (what: string) => void;
}

/** How often it is said what is being waited for. */
const REPORT_US = 1_000_000;
const DEFAULT_DEADLINE_MS = 30_000;

/** What draining works with. */
export interface DrainContext {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Ends connections in order; resolves when all of them are closed, saying every second what it waits for. */
export async function drainConnections(
  connections: readonly Connection[],
  reason: string,
  { clock, log }: DrainContext,
  {
    deadlineMs = DEFAULT_DEADLINE_MS,
    waiting = (what) => log.info(`${reason}; waiting for ${what}`),
  }: DrainOptions = {},
): Promise<void> {
  const open = new Set(connections);
  const ends = connections.map(async (connection) => {
    connection.drain(reason);
    await connection.closed;
    open.delete(connection);
  });
  let report: Timer;
  const say = (): void => {
    waiting([...open].map((connection) => connection.waitsFor).join(', '));
    report = clock.after(REPORT_US, say);
  };
  report = clock.after(REPORT_US, say);
  const deadline = clock.after(deadlineMs * 1000, () => {
    for (const connection of open)
      connection.cut(`${reason}, and ${deadlineMs} ms were not enough; ${connection.waitsFor}`);
  });
  await Promise.all(ends);
  report.cancel();
  deadline.cancel();
}
