import { Command } from 'commander';
import { vi } from 'vitest';
import { addAccessCommands } from '../../src/access-commands.ts';
import { devices } from '../../src/commands/devices.ts';
import { exitCodeOf } from '../../src/exit-code.ts';
import type { Ended } from './runner-process.ts';

/** Runs a command of `ring3` in this process: a virtual machine takes many seconds to start another. */
export async function ring3Here(...args: string[]): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    }),
  );
  process.exitCode = undefined;
  try {
    await program().parseAsync(args, { from: 'user' });
    return { status: Number(process.exitCode ?? 0), ...written };
  } catch (error) {
    return { ...written, status: exitCodeOf(error), stderr: `${written.stderr}${error}\n` };
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
  }
}

function program(): Command {
  const ring3 = new Command().exitOverride();
  addAccessCommands(ring3);
  ring3
    .command('devices')
    .option('--json')
    .action((options) => devices(undefined, options));
  return ring3;
}
