import { fileURLToPath } from 'node:url';
import { DeviceError } from '@ring3/core';
import type { PortInstructions } from './port-access.ts';

/** What native/ports.c gives: 0, or not where an argument is none that there is. */
type Native = Readonly<{ [Name in keyof PortInstructions]: (...values: Parameters<PortInstructions[Name]>) => number }>;

/** native/ports.c, built: beside the folder of this file, also when it is compiled. */
export const PORTS_FILE = fileURLToPath(new URL('../native/ports-x64.so', import.meta.url));

let native: Native | undefined;

/** Node's own way to machine code, not ffi-rs: an access of a port takes a microsecond, and a call of ffi-rs several. */
function load(): Native {
  const module = { exports: {} };
  try {
    process.dlopen(module, PORTS_FILE);
  } catch (cause) {
    throw new DeviceError('unsupported', `load ${PORTS_FILE}: ${(cause as Error).message}`, { cause });
  }
  return module.exports as Native;
}

/**
 * The port instructions of x86-64. A thread that uses them without the permission of ioperm(2) dies of SIGSEGV.
 * @throws DeviceError `unsupported` where Node does not load them; RangeError from each for sizes that no instruction has.
 */
export function portInstructions(): PortInstructions {
  native ??= load();
  const { run, readRepeated, writeRepeated } = native;
  return {
    run: (ops, count) => checked(run(ops, count)),
    readRepeated: (port, sizeBytes, into, count) => checked(readRepeated(port, sizeBytes, into, count)),
    writeRepeated: (port, sizeBytes, from, count) => checked(writeRepeated(port, sizeBytes, from, count)),
  };
}

function checked(status: number): void {
  if (status !== 0) throw new RangeError('a port access of 1, 2 or 4 bytes was expected, and memory for it');
}
