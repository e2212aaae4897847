import { DeviceError } from '@ring3/core';
import type { CheckedDevice } from './checked-config.ts';
import { formatProblem, type Problem } from './problem.ts';

/** A device of a configuration that cannot be used: perhaps for another reason. */
export type PartOfDevice = Pick<CheckedDevice, 'name' | 'raw'> &
  Partial<Pick<CheckedDevice, 'backendType' | 'description'>>;

/** A configuration that cannot be used: a DeviceError `config` that carries everything that is wrong with it. */
export class ConfigError extends DeviceError {
  /** In the order of the file. */
  readonly problems: readonly Problem[];
  /** What could be found out of the devices nevertheless. */
  readonly devices: readonly PartOfDevice[];

  constructor(problems: readonly Problem[], devices: readonly PartOfDevice[] = []) {
    super('config', problems.map(formatProblem).join('\n'), { details: { problems: problems.length } });
    this.problems = problems;
    this.devices = devices;
  }
}
