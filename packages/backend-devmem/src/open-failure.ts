import { type DeviceError, hex } from '@ring3/core';
import { deviceErrorOf } from '@ring3/linux';
import { formatOccupants, type Holders, holdersOf } from './holders.ts';
import { doorRemedies, heldBeside, heldInside, LOCKDOWN, RAW_IO, type Surroundings } from './obstacles.ts';
import type { PlannedSpace } from './planned-space.ts';

/** What the kernel refused at `/dev/mem`, with the rule behind it: which one, the errno alone does not say. */
export function memoryFailure(error: unknown, space: PlannedSpace, around: Surroundings): DeviceError {
  const { name, start, sizeBytes } = space.resource;
  const what = `devmem: ${name}: ${hex(sizeBytes)} bytes at ${hex(start)}`;
  return deviceErrorOf(error, what, {
    ...doorRemedies('mem'),
    EPERM: whyNotPermitted(space, around),
    EINVAL: 'the address is beyond those of this processor: correct it',
    EAGAIN: `the kernel maps it with another memory type already (x86: cat /sys/kernel/debug/x86/pat_memtype_list): stop who does`,
    ENOMEM: `too much is mapped already, or a limit on address space (ulimit -v, LimitAS=) is reached: ${hex(sizeBytes)} bytes are wanted`,
  });
}

/** What the kernel refused when the ports of a space were opened. */
export function portFailure(error: unknown, { resource, through }: PlannedSpace): DeviceError {
  const { name, start, sizeBytes } = resource;
  const remedies = through === 'dev-port' ? doorRemedies('port') : {};
  return deviceErrorOf(error, `devmem: ${name}: ${sizeBytes} ports at ${hex(start, 16)}`, remedies);
}

function whyNotPermitted(space: PlannedSpace, around: Surroundings): string {
  const { machine, pageBytes } = around;
  if (machine.lockdown !== undefined) return LOCKDOWN;
  if (machine.rawIo === false) return `this process does not have CAP_SYS_RAWIO: ${RAW_IO}`;
  const holders = holdersOf(space.resource, machine, pageBytes);
  return (
    ofRam(holders) ??
    heldInside(space, holders) ??
    heldBeside(space, holders, machine) ??
    (holders.unknown
      ? 'who holds it is not known, since /proc/iomem hides its addresses from this process: run it with CAP_SYS_ADMIN to see'
      : 'a driver of the kernel has it for itself (IORESOURCE_EXCLUSIVE), or took it just now: unbind that driver; iomem=relaxed does not help against the former')
  );
}

function ofRam({ ram }: Holders): string | undefined {
  return ram.length === 0 ? undefined : `it is RAM (${formatOccupants(ram)}), which STRICT_DEVMEM closes: no register`;
}
