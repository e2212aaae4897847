import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { DeviceError, hex } from '@ring3/core';
import { errnoOf, type LinuxRoots } from '@ring3/linux';
import { formatOccupants, type Holders, holdersOf } from './holders.ts';
import type { Machine } from './machine.ts';
import type { PlannedSpace } from './planned-space.ts';

/** Where and on what the spaces are judged. */
export interface Surroundings {
  readonly machine: Machine;
  /** `/dev`. */
  readonly dev: string;
  readonly pageBytes: number;
  readonly arch: string;
  readonly roots: Required<LinuxRoots>;
}

/** Below this address the kernel of x86 lets everything through. Source: Linux, arch/x86/mm/init.c, devmem_is_allowed. */
const MIB = 0x10_0000n;

const RAW_IO = 'run it as root, or with AmbientCapabilities=CAP_SYS_RAWIO in its systemd unit';
const LOCKDOWN =
  'the kernel is locked down (Secure Boot), which closes /dev/mem and I/O ports to everybody: turn Secure Boot off, boot without lockdown=, or take VFIO';

/** @throws DeviceError `config` for a space that is memory of the machine itself. */
function refuseRam({ resource }: PlannedSpace, { ram }: Holders): void {
  if (ram.length === 0) return;
  const low = ram.some(({ start }) => start < MIB) ? ' (below 1 MiB it would read as zeros and take no writes)' : '';
  throw new DeviceError(
    'config',
    `devmem: ${resource.name}: ${hex(resource.start)}, ${hex(resource.sizeBytes)} bytes, is RAM, not registers: /proc/iomem has ${formatOccupants(ram)}; the kernel gives out none of it${low}: correct the address`,
  );
}

/**
 * Everything that keeps the spaces from being opened, as far as it can be seen from outside.
 * @param shared who holds them is of no interest.
 */
export function obstaclesOf(spaces: readonly PlannedSpace[], around: Surroundings, shared: boolean): string[] {
  const found = spaces.flatMap((space) => {
    const holders = holdersOf(space.resource, around.machine, around.pageBytes);
    refuseRam(space, holders);
    return [
      shared ? undefined : heldInside(space, holders),
      heldBeside(space, holders, around.machine),
      unseen(space, holders),
    ];
  });
  return [...doorsOf(spaces, around), ...found].filter((text) => text !== undefined);
}

/** Says who holds a part of the space. */
export function heldInside({ resource }: PlannedSpace, { inside }: Holders): string | undefined {
  if (inside.length === 0) return undefined;
  const file = resource.kind === 'memory' ? '/proc/iomem' : '/proc/ioports';
  return `${resource.name}: the kernel holds ${formatOccupants(inside)} (${file}): unbind that driver ("ring3 unbind", or echo its device to /sys/bus/.../unbind), or write ignoreKernelClaims: true to share the device with it`;
}

/** Says who holds the rest of the pages, where that closes them. */
export function heldBeside({ resource }: PlannedSpace, { beside }: Holders, machine: Machine): string | undefined {
  if (beside.length === 0 || resource.start < MIB || machine.iomemRelaxed) return undefined;
  return `${resource.name}: in the same page as ${hex(resource.start)} the kernel holds ${formatOccupants(beside)}, and with IO_STRICT_DEVMEM (Debian has it) it closes the page: unbind that driver, or boot with iomem=relaxed`;
}

function unseen({ resource }: PlannedSpace, { unknown }: Holders): string | undefined {
  if (!unknown) return undefined;
  const file = resource.kind === 'memory' ? '/proc/iomem' : '/proc/ioports';
  return `${resource.name}: whether ${hex(resource.start)} is free is not known: ${file} hides its addresses from this process; run it with CAP_SYS_ADMIN to have that checked`;
}

function doorsOf(spaces: readonly PlannedSpace[], around: Surroundings): (string | undefined)[] {
  const needed = (kind: 'memory' | 'port', through?: 'ioperm' | 'dev-port') =>
    spaces.some((space) => space.resource.kind === kind && space.through === through);
  const doors = [
    needed('memory') ? fileDoor('mem', around) : undefined,
    needed('port', 'ioperm') ? portDoor(around) : undefined,
    needed('port', 'dev-port') ? fileDoor('port', around) : undefined,
  ];
  return [around.machine.lockdown === undefined ? undefined : LOCKDOWN, ...doors];
}

/** Says why `/dev/mem` or `/dev/port` is closed to this process. */
function fileDoor(name: 'mem' | 'port', { dev, machine }: Surroundings): string | undefined {
  const path = join(dev, name);
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    return doorRemedies(name, machine)[errnoOf(error) ?? ''] ?? `/dev/${name} cannot be opened: ${String(error)}`;
  }
  return machine.rawIo === false ? `/dev/${name}: ${notPermitted(machine)}` : undefined;
}

function portDoor({ arch, machine }: Surroundings): string | undefined {
  if (arch !== 'x64') return `I/O ports exist on x86 only, and this is ${arch}: give the registers as memory`;
  return machine.rawIo === false ? `I/O ports: ${notPermitted(machine)}` : undefined;
}

/** What to do when `/dev/mem` or `/dev/port` does not open, by the name of the errno. */
export function doorRemedies(name: 'mem' | 'port', machine: Machine): Readonly<Record<string, string>> {
  const option = name === 'mem' ? 'CONFIG_DEVMEM' : 'CONFIG_DEVPORT';
  const group = `the file belongs to root, group kmem: run it as root, or give a udev rule (KERNEL=="${name}", GROUP="...", MODE="0660") and CAP_SYS_RAWIO`;
  return {
    ENOENT: `there is no /dev/${name}: the kernel was built without ${option}, or the unit has PrivateDevices=yes; take UIO, or another kernel`,
    ENXIO: `there is no driver behind /dev/${name}: the kernel was built without ${option}; take UIO, or another kernel`,
    EACCES: group,
    EPERM: notPermitted(machine),
  };
}

/** Which rule is behind EPERM. */
export function notPermitted({ lockdown, rawIo }: Machine): string {
  if (lockdown !== undefined) return LOCKDOWN;
  if (rawIo === false) return `CAP_SYS_RAWIO is needed, which this process does not have: ${RAW_IO}`;
  return 'the kernel, or a security module, closes it to this process: see dmesg';
}
