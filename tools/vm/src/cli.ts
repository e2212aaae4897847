import { constants } from 'node:os';
import { parseArguments, usage } from './arguments.ts';
import { runInVm } from './run.ts';
import { VmError } from './vm-error.ts';

/** `pnpm vm [OPTIONS] -- COMMAND`. Exit status: the command's, 2 for wrong usage, 125 when the machine fails, 128 + N after signal N. */
async function main(): Promise<number> {
  const request = parseArguments(process.argv.slice(2));
  if (request === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const interactive = process.stdin.isTTY && process.stdout.isTTY;
  const result = await runInVm({
    ...request,
    interactive,
    onOutput: (stream, chunk) => process[stream].write(chunk),
  });
  return result.status;
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    if (!(error instanceof VmError)) throw error;
    process.stderr.write(`ring3: ${error.message}\n`);
    process.exitCode =
      error.signal === undefined ? (error.wrongUsage ? 2 : 125) : 128 + constants.signals[error.signal];
  },
);
