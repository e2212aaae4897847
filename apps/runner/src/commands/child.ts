import { EXIT } from '../exit-code.ts';
import { createLogger, defaultLogFormat } from '../log.ts';
import type { CommonOptions } from '../main.ts';

/** The processes that the supervisor starts; nobody types these commands. */
export async function child(role: 'device-host' | 'front', name: string, options: CommonOptions): Promise<void> {
  if (process.send === undefined) {
    process.stderr.write(`ring3 ${role} is started by \`ring3 run\` with \`isolation: process\`, not by hand\n`);
    process.exitCode = EXIT.usage;
    return;
  }
  const log = createLogger(options.logFormat ?? defaultLogFormat(), options.logLevel, name);
  if (role === 'front') await (await import('../supervisor/front.ts')).runFront(log);
  else await (await import('../supervisor/device-host.ts')).runDeviceHost(log);
}
