import type { Logger } from '@ring3/core';
import { EXIT } from './exit-code.ts';

/** How long bringing things to rest may take after a defect. */
const LAST_STOP_MS = 2000;

/**
 * An exception that nobody caught, in an interrupt handler or a forgotten promise (R2, R3): everything is brought to
 * rest, and the status says that this was a defect. Call it before anything can go wrong.
 * @param rest makes the devices quiet; a device that throws on and on does not disturb it.
 */
export function endOnDefect(log: Logger, rest: (message: string) => Promise<void>): void {
  let resting = false;
  process.on('uncaughtException', (error: unknown) => {
    const message = inWords(error);
    log.error(`a defect in a driver or in ring3: ${error instanceof Error ? (error.stack ?? message) : message}`);
    if (resting) return;
    resting = true;
    const exit = () => process.exit(EXIT.software);
    setTimeout(exit, LAST_STOP_MS);
    void rest(message)
      .catch((failure: unknown) => log.error(inWords(failure)))
      .finally(exit);
  });
}

/** What was thrown, for a person. */
export function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
