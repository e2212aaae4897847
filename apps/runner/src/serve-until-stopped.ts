import type { Logger } from '@ring3/core';
import { endOnDefect, inWords } from './end-on-defect.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { droppedLines } from './log.ts';
import type { RunningRig, StartOptions } from './running-rig.ts';
import { SignalQueue } from './signal-queue.ts';

/** What takes longer than this is said aloud. */
const SAY_AFTER_MS = 1000;
/** How long what a driver forgot, a timer or a socket, may keep a process alive that is done. */
const LEFTOVERS_MS = 500;
/** How long drivers that were still attaching may take to give up. */
const GIVE_UP_MS = 10_000;

/**
 * Starts a rig and serves until a signal or a failure. The first SIGINT or SIGTERM drains; the second cuts the clients
 * off, but lets the running command end and flushes.
 */
export async function serveUntilStopped(
  start: (options: StartOptions) => Promise<RunningRig>,
  started: (rig: RunningRig) => void,
  log: Logger,
): Promise<void> {
  const signals = new SignalQueue();
  const stopStarting = new AbortController();
  const waiting = sayWhatTakesLong(log);
  const starting = start({ signal: stopStarting.signal, waiting: waiting.now });
  endOnDefect(log, async () => {
    stopStarting.abort();
    const rig = await starting;
    rig.hurry();
    await rig.stop(() => {});
  });
  try {
    const rig = await Promise.race([starting, signals.next()]);
    if (rig === undefined) return await stopWhileStarting(starting, stopStarting, signals, log);
    waiting.now(undefined);
    started(rig);
    const failure = await Promise.race([signals.next(), rig.failed.catch((error: unknown) => ({ error }))]);
    if (failure !== undefined) log.error(inWords(failure.error));
    process.exitCode = failure === undefined ? EXIT.ok : exitCodeOf(failure.error);
    await stop(rig, signals, waiting.now);
  } finally {
    waiting.end();
    signals.close();
    if (droppedLines() > 0) log.warn(`${droppedLines()} log lines were lost`);
    endInSpiteOfLeftovers(log);
  }
}

/** The first signal came before everything was there: what is there is stopped. A second one does not wait for that. */
async function stopWhileStarting(
  starting: Promise<RunningRig>,
  stopStarting: AbortController,
  signals: SignalQueue,
  log: Logger,
): Promise<void> {
  log.info('stopping before everything has started; stop again to leave at once');
  stopStarting.abort();
  const leave = () => {
    log.error('left before the drivers were at rest');
    process.exit(EXIT.software);
  };
  void signals.next().then(leave);
  setTimeout(leave, GIVE_UP_MS).unref();
  const rig = await starting.catch((error: unknown) => {
    if (error !== stopStarting.signal.reason) throw error;
    return undefined;
  });
  await rig?.stop(() => {});
}

async function stop(rig: RunningRig, signals: SignalQueue, waiting: (what: string) => void): Promise<void> {
  waiting('the exports to drain; stop again to hurry');
  void signals.next().then(() => rig.hurry());
  await rig.stop((what) => waiting(`${what}; stop again to hurry`));
}

/** Says once a second what is waited for, if it takes so long. */
function sayWhatTakesLong(log: Logger) {
  let what: string | undefined;
  const interval = setInterval(() => what !== undefined && log.info(`waiting for ${what}`), SAY_AFTER_MS);
  return {
    now: (awaited: string | undefined): void => {
      what = awaited;
    },
    end: () => clearInterval(interval),
  };
}

function endInSpiteOfLeftovers(log: Logger): void {
  const end = () => {
    log.debug(`a driver has left something open: ${process.getActiveResourcesInfo().join(', ')}`);
    process.exit();
  };
  setTimeout(end, LEFTOVERS_MS).unref();
}
