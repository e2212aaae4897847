import type { Logger } from '@ring3/core';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { droppedLines } from './log.ts';
import type { RunningRig } from './running-rig.ts';

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
  const rig = await start();
  stopOnDefect(rig, log);
  started(rig);
  const failure = await Promise.race([signals.next(), rig.failed.catch((error: unknown) => ({ error }))]);
  if (typeof failure === 'object')
    log.error(failure.error instanceof Error ? failure.error.message : String(failure.error));
  await stop(rig, signals, log);
  process.exitCode = typeof failure === 'object' ? exitCodeOf(failure.error) : EXIT.ok;
  if (droppedLines() > 0) log.warn(`${droppedLines()} log lines were lost`);
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
    signals.close();
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

/** The signals that ask to stop, one after the other. */
class SignalQueue {
  #arrived = 0;
  #taken = 0;
  #wake: () => void = () => {};
  /** A listener for a signal does not keep a process alive, and a rig may have nothing else that does. */
  readonly #alive = setInterval(() => {}, 2 ** 30);
  readonly #listener = () => {
    this.#arrived++;
    this.#wake();
  };

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, this.#listener);
  }

  async next(): Promise<void> {
    const wanted = ++this.#taken;
    while (this.#arrived < wanted) {
      await new Promise<void>((resolve) => {
        const before = this.#wake;
        this.#wake = () => {
          before();
          resolve();
        };
      });
    }
  }

  close(): void {
    clearInterval(this.#alive);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, this.#listener);
  }
}
