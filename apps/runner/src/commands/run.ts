import { type ConfigSource, formatProblem, readConfig } from '@ring3/rig';
import { loaderFor } from '../config-source.ts';
import { createLogger, defaultLogFormat } from '../log.ts';
import type { CommonOptions } from '../main.ts';
import type { RunningRig } from '../running-rig.ts';
import { serveUntilStopped } from '../serve-until-stopped.ts';

/** Options of `ring3 run`. */
export interface RunOptions extends CommonOptions {
  readonly isolation?: 'inline' | 'process';
}

/** `ring3 run CONFIG`. */
export async function run(config: string, options: RunOptions): Promise<void> {
  await runSource({ file: config }, options, () => {});
}

/** Reads a configuration, starts it, and serves until somebody says stop. */
export async function runSource(
  source: ConfigSource,
  options: RunOptions,
  started: (rig: RunningRig) => void,
): Promise<void> {
  const { logFormat = defaultLogFormat(), logLevel } = options;
  const log = createLogger(logFormat, logLevel);
  const logArguments = ['--log-format', logFormat, '--log-level', logLevel];
  const config = await readConfig(source, loaderFor(source));
  for (const warning of config.warnings) log.warn(formatProblem(warning));
  const isolation = options.isolation ?? config.isolation;
  await serveUntilStopped(
    async (startOptions) => {
      if (isolation === 'inline') return (await import('../run-inline.ts')).runInline(config, log, startOptions);
      return (await import('../supervisor/supervisor.ts')).runSupervised(
        { config, source, log, logArguments },
        startOptions,
      );
    },
    started,
    log,
  );
}
