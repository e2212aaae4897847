import { DeviceError } from '@ring3/core';
import { formatProblem, type Problem } from './problem.ts';

/** A configuration that cannot be used: a DeviceError `config` that carries everything that is wrong with it. */
export class ConfigError extends DeviceError {
  /** In the order of the file. */
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('config', problems.map(formatProblem).join('\n'), { details: { problems: problems.length } });
    this.problems = problems;
  }
}
