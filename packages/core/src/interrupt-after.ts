import type { Clock, Timer } from './clock.ts';
import { DeviceError } from './device-error.ts';
import { duration } from './format.ts';
import type { Interrupt } from './interrupt.ts';
import type { InterruptSource } from './interrupt-source.ts';

/**
 * Arms first, triggers second, waits third: the interrupt that `trigger` causes cannot be missed, and nothing
 * stays armed when it fails.
 *
 * @param timeoutUs how long to wait after the trigger.
 * @param trigger makes the device work, usually one register write. Not called when no interrupt can come.
 * @throws whatever `trigger` throws; DeviceError `timeout` when nothing came, `gone` when nothing can come.
 */
export async function interruptAfter(
  source: InterruptSource,
  clock: Clock,
  timeoutUs: number,
  trigger: () => void,
): Promise<Interrupt> {
  const waiting = source.next();
  let deadline: Timer | undefined;
  try {
    trigger();
    deadline = clock.after(timeoutUs, () => waiting.cancel(timedOut(source, timeoutUs)));
  } catch (error) {
    waiting.cancel(error instanceof Error ? error : new Error(String(error)));
  }
  try {
    return await waiting.interrupt;
  } finally {
    deadline?.cancel();
  }
}

function timedOut(source: InterruptSource, timeoutUs: number): DeviceError {
  const masked = source.enabled ? '' : '; the source is not enabled, so none could come';
  return new DeviceError('timeout', `${source.name}: no interrupt within ${duration(timeoutUs)}${masked}`);
}
