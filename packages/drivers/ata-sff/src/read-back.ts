/** Pure: whether a task file holds what was written to it. */
import type { TaskFileImage } from './commands.ts';
import { DEVICE } from './registers.ts';

/** What is read back before a command: nothing, the registers, or also what the two-deep ones took first. */
export type Verification = 'none' | 'current' | 'both';

/** `previous-hidden`: the registers hold what was written last, but HOB shows the same once more. */
export type ReadBack = 'same' | 'different' | 'previous-hidden';

const DEVICE_MEANING = DEVICE.DEV | DEVICE.LBA | DEVICE.LBA27_24;

/**
 * @param values count, LBA low, mid, high and device, as read.
 * @param readPrevious reads the same without device, with HOB; `undefined` where nobody asks.
 */
export function compare(
  { image, device }: { readonly image: TaskFileImage; readonly device: number },
  values: readonly number[],
  readPrevious: () => readonly number[] | undefined,
): ReadBack {
  const current = addressBytes(image);
  if (!startsWith(values, current) || (((values[current.length] ?? 0) ^ device) & DEVICE_MEANING) !== 0)
    return 'different';
  const previous = image.previous && readPrevious();
  if (previous === undefined || image.previous === undefined) return 'same';
  const wanted = addressBytes(image.previous);
  if (startsWith(previous, wanted)) return 'same';
  return startsWith(previous, current) ? 'previous-hidden' : 'different';
}

function addressBytes({ count, lbaLow, lbaMid, lbaHigh }: NonNullable<TaskFileImage['previous']>): number[] {
  return [count, lbaLow, lbaMid, lbaHigh];
}

function startsWith(values: readonly number[], wanted: readonly number[]): boolean {
  return wanted.every((byte, index) => values[index] === byte);
}
