import {
  type Clock,
  duration,
  hex,
  isDeviceError,
  type Logger,
  pollUntil,
  type QuiesceStep,
  type RegisterSpace,
} from '@ring3/core';
import type { CheckedDevice } from './config/checked-config.ts';

/**
 * Makes a device harmless without its driver: runs the driver's quiesce steps. A step that fails is logged and the
 * rest still runs, since a half-quiet device is better than a loud one. A device that is gone is quiet.
 */
export async function runQuiesce(
  steps: readonly QuiesceStep[],
  spaces: ReadonlyMap<string, RegisterSpace>,
  clock: Clock,
  log: Logger,
): Promise<void> {
  for (const step of steps) {
    const space = spaces.get(step.space);
    if (space === undefined) continue;
    try {
      await runStep(step, space, clock);
    } catch (error) {
      if (!isDeviceError(error)) throw error;
      if (error.code === 'gone') return;
      const when = step.kind === 'poll' ? ` after ${duration(step.timeoutUs)}` : '';
      log.error(`not quiet${when}: ${error.message}`);
    }
  }
}

/** What a driver declares for its device, with the sizes of the spaces that are open. */
export function quiesceSteps(
  { driver, driverOptions }: Pick<CheckedDevice, 'driver' | 'driverOptions'>,
  spaces: ReadonlyMap<string, RegisterSpace>,
): readonly QuiesceStep[] {
  const sizes = Object.fromEntries([...spaces].map(([name, space]) => [name, space.sizeBytes]));
  return driver.quiesce?.(sizes, driverOptions) ?? [];
}

async function runStep(step: QuiesceStep, space: RegisterSpace, clock: Clock): Promise<void> {
  const { width, offset } = step;
  if (step.kind === 'write') {
    space.sequence([{ kind: 'write', width, offset, value: step.value }]);
    return;
  }
  const { equals, mask, timeoutUs } = step;
  await pollUntil(clock, {
    what: `${step.space} at ${hex(offset)} becoming ${hex(equals, width)} under mask ${hex(mask, width)}`,
    read: () => space.sequence([{ kind: 'read', width, offset }])[0] ?? 0,
    until: (value) => (value & mask) === equals,
    timeoutUs,
  });
}
