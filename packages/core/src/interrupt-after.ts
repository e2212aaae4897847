import type { Clock } from './clock.ts';
import { DeviceError } from './device-error.ts';
import { duration } from './format.ts';
import type { Interrupt, InterruptSource } from './interrupt-source.ts';

/**
 * Arms first, triggers second, waits third: the interrupt that `trigger` causes cannot be missed, and nothing
 * stays armed when it fails.
 *
 * @param timeoutUs how long to wait after the trigger.
 * @param trigger makes the device work, usually one register write.
 * @throws whatever `trigger` throws; DeviceError `timeout` when nothing came, `gone` when nothing can come.
 */
export async function interruptAfter(
  source: InterruptSource,
  clock: Clock,
  timeoutUs: number,
  trigger: () => void,
): Promise<Interrupt> {
  const waiting = source.next();
  const deadline = clock.after(timeoutUs, () => {
    waiting.cancel(new DeviceError('timeout', `${source.name}: no interrupt within ${duration(timeoutUs)}`));
  });
  try {
    trigger();
  } catch (error) {
    waiting.cancel(error instanceof Error ? error : new Error(String(error)));
  }
  try {
    return await waiting.interrupt;
  } finally {
    deadline.cancel();
  }
}
