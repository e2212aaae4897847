import { isDeviceError } from '@ring3/core';
import { formatProblem, readConfig } from '@ring3/rig';
import { loaderFor } from '../config-source.ts';
import { EXIT } from '../exit-code.ts';

/** `ring3 check CONFIG...`: every problem of every file, a line each. */
export async function check(files: readonly string[]): Promise<void> {
  for (const file of files) {
    try {
      const source = { file };
      const config = await readConfig(source, loaderFor(source));
      for (const warning of config.warnings) process.stdout.write(`${formatProblem(warning)} (warning)\n`);
      process.stdout.write(`${file}: good: ${config.devices.length} device(s), ${config.exports.length} export(s)\n`);
      for (const backend of config.backends.values()) await backend.close();
    } catch (error) {
      if (!isDeviceError(error, 'config')) throw error;
      process.stdout.write(`${error.message}\n`);
      process.exitCode = EXIT.config;
    }
  }
}
