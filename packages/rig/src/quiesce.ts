import {
  type Clock,
  DeviceError,
  duration,
  hex,
  type Logger,
  pollUntil,
  type QuiesceStep,
  type RegisterSpace,
} from '@ring3/core';

/**
 * Makes a device harmless without its driver: runs the driver's quiesce steps. A poll that times out is logged and
 * the rest still runs, since a half-quiet device is better than a loud one.
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
    if (step.kind === 'write') {
      space.sequence([{ kind: 'write', width: step.width, offset: step.offset, value: step.value }]);
      continue;
    }
    try {
      await pollUntil(clock, {
        what: `${step.space} at ${hex(step.offset)} becoming ${hex(step.equals, step.width)} under mask ${hex(step.mask, step.width)}`,
        read: () => space.sequence([{ kind: 'read', width: step.width, offset: step.offset }])[0] ?? 0,
        until: (value) => (value & step.mask) === step.equals,
        timeoutUs: step.timeoutUs,
      });
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      log.error(`not quiet after ${duration(step.timeoutUs)}: ${error.message}`);
    }
  }
}
