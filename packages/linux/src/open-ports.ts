import process from 'node:process';
import { DeviceError, type RegisterAccess } from '@ring3/core';
import { NativeLibrary } from './native.ts';
import { PortAccess, type PortInstructions } from './port-access.ts';
import { portInstructions } from './port-instructions.ts';
import { checkPortRange, portsName } from './port-range.ts';
import { deviceErrorOf } from './system-call-error.ts';

/** What a machine must give for ports: the right to use them and the instructions. */
export interface PortMachine {
  /** Node's name of the processor. */
  readonly arch: string;
  /** ioperm(2) for the calling thread. @throws SystemCallError. */
  allow(start: number, sizeBytes: number): void;
  /** Called after `allow` only. */
  instructions(): PortInstructions;
}

const ALTERNATIVES =
  'I/O BARs of PCI devices can be reached through resourceN in sysfs, 8-bit registers through /dev/port';
const REMEDIES = {
  EPERM: `give the process CAP_SYS_RAWIO; a kernel that is locked down (Secure Boot) refuses even then: ${ALTERNATIVES}`,
  ENOSYS: `this kernel was built without CONFIG_X86_IOPL_IOPERM: ${ALTERNATIVES}`,
};

function openIoperm() {
  return new NativeLibrary('ioperm', '', {
    // Harmless: a range of 0 ports is EINVAL.
    ioperm: { returns: 'i32', takes: ['i64', 'i64', 'i32'], harmless: [0n, 0n, 0] },
  });
}

let ioperm: ReturnType<typeof openIoperm> | undefined;

const thisMachine: PortMachine = {
  arch: process.arch,
  allow(start, sizeBytes) {
    ioperm ??= openIoperm();
    ioperm.tryCall('ioperm', [BigInt(start), BigInt(sizeBytes), 1]);
  },
  instructions: portInstructions,
};

/** {@link openPorts} on a machine that a test may have made. */
export function openPortsOf(machine: PortMachine, start: number, sizeBytes: number): RegisterAccess {
  checkPortRange(start, sizeBytes);
  const what = `open ${portsName(start, sizeBytes)}`;
  if (machine.arch !== 'x64') {
    throw new DeviceError(
      'unsupported',
      `${what}: port instructions exist on x64 only, this is ${machine.arch}; ${ALTERNATIVES}`,
    );
  }
  try {
    machine.allow(start, sizeBytes);
  } catch (error) {
    throw deviceErrorOf(error, what, REMEDIES);
  }
  return new PortAccess(machine.instructions(), start);
}

/**
 * Opens a range of x86 ports for the calling thread: ioperm(2) and the port instructions themselves, in 8, 16 and 32 bits.
 * The permission belongs to this thread and to those that it starts later, and lasts as long as the thread: nothing has to
 * be closed, and an access from elsewhere is SIGSEGV.
 * @throws DeviceError `permission` without CAP_SYS_RAWIO or under lockdown; `unsupported` on another processor and where
 * the kernel has no ioperm. RangeError for a range that is not within 0 to 0xffff.
 */
export function openPorts(start: number, sizeBytes: number): RegisterAccess {
  return openPortsOf(thisMachine, start, sizeBytes);
}
