import { fileURLToPath } from 'node:url';
import { NativeLibrary } from './native.ts';
import type { PortInstructions } from './port-access.ts';

const one = new Uint8Array(8);

/** The shared object that native/ports.c is built into: beside the folder of this file, also when it is compiled. */
export const PORTS_FILE = fileURLToPath(new URL('../native/ports-x64.so', import.meta.url));

function open() {
  return new NativeLibrary('ports', PORTS_FILE, {
    ring3_ports: { returns: 'i32', takes: ['bytes', 'i32'], harmless: [one, 0] },
    ring3_ports_in: { returns: 'i32', takes: ['i32', 'i32', 'bytes', 'i32'], harmless: [0, 0, one, 0] },
    ring3_ports_out: { returns: 'i32', takes: ['i32', 'i32', 'bytes', 'i32'], harmless: [0, 0, one, 0] },
  });
}

let library: ReturnType<typeof open> | undefined;

/** The port instructions of x86-64. A thread that uses them without the permission of ioperm(2) dies of SIGSEGV. */
export function portInstructions(): PortInstructions {
  library ??= open();
  const ports = library;
  return {
    run(ops, count) {
      checked(ports.call('ring3_ports', ops, count));
    },
    readRepeated(port, sizeBytes, into, count) {
      checked(ports.call('ring3_ports_in', port, sizeBytes, into, count));
    },
    writeRepeated(port, sizeBytes, from, count) {
      checked(ports.call('ring3_ports_out', port, sizeBytes, from, count));
    },
  };
}

function checked(status: number | bigint): void {
  if (status !== 0) throw new RangeError('a port access of 1, 2 or 4 bytes was expected');
}
