import { DeviceError, duration } from '@ring3/core';

/**
 * Waits for what may never happen: whoever waits for the end of this process would kill it.
 * @param late what to say then: `the drivers did not come to rest`.
 * @throws DeviceError `timeout`.
 */
export async function inTime<T>(happening: Promise<T>, timeoutUs: number, late: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const error = new DeviceError('timeout', `${late} within ${duration(timeoutUs)}`);
    timer = setTimeout(() => reject(error), timeoutUs / 1000);
  });
  try {
    return await Promise.race([happening, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
