import type { Logger } from '@ring3/core';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { droppedLines } from './log.ts';
import type { RunningRig } from './running-rig.ts';
import { SignalQueue } from './signal-queue.ts';

/** What takes longer than this is said aloud. */
const SAY_AFTER_MS = 1000;
/** How long an orderly stop may take after a defect of the program itself. */
const LAST_STOP_MS = 2000;

/**
 * Starts a rig and serves until a signal or a failure. The first SIGINT or SIGTERM drains; the second cuts the clients
 * off, but lets the running command end and flushes.
 */
export async function serveUntilStopped(
  start: () => Promise<RunningRig>,
  started: (rig: RunningRig) => void,
  log: Logger,
): Promise<void> {
  const signals = new SignalQueue();
  try {
    const rig = await start();
    stopOnDefect(rig, log);
    started(rig);
    const failure = await Promise.race([signals.next(), rig.failed.catch((error: unknown) => ({ error }))]);
    if (failure !== undefined) log.error(inWords(failure.error));
    await stop(rig, signals, log);
    process.exitCode = failure === undefined ? EXIT.ok : exitCodeOf(failure.error);
    if (droppedLines() > 0) log.warn(`${droppedLines()} log lines were lost`);
  } finally {
    signals.close();
  }
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function stop(rig: RunningRig, signals: SignalQueue, log: Logger): Promise<void> {
  let what = 'the exports to drain';
  const say = setInterval(() => log.info(`waiting for ${what}; stop again to hurry`), SAY_AFTER_MS);
  void signals.next().then(() => rig.hurry());
  try {
    await rig.stop((now) => {
      what = now;
    });
  } finally {
    clearInterval(say);
  }
}

/** A thrown exception that nobody caught: the rig is brought to rest, and the status says that this was a defect. */
function stopOnDefect(rig: RunningRig, log: Logger): void {
  process.once('uncaughtException', (error) => {
    log.error(`a defect in a driver or in ring3: ${error.stack ?? error.message}`);
    const late = setTimeout(() => process.exit(EXIT.software), LAST_STOP_MS);
    rig.hurry();
    void rig
      .stop(() => {})
      .catch((failure: unknown) => log.error(String(failure)))
      .finally(() => {
        clearTimeout(late);
        process.exit(EXIT.software);
      });
  });
}
