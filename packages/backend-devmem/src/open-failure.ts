import { DeviceError, hex } from '@ring3/core';
import { deviceErrorOf, errnoOf } from '@ring3/linux';
import { formatOccupants, type Holders, holdersOf } from './holders.ts';
import { doorRemedies, heldBeside, notPermitted, type Surroundings } from './obstacles.ts';
import type { PlannedSpace } from './planned-space.ts';

/** What the kernel refused at `/dev/mem`, with the rule behind it: which one, the errno alone does not say. */
export function memoryFailure(error: unknown, space: PlannedSpace, around: Surroundings): DeviceError {
  const { name, start, sizeBytes } = space.resource;
  const what = `devmem: ${name}: ${hex(sizeBytes)} bytes at ${hex(start)}`;
  if (errnoOf(error) === 'EINVAL') {
    const text = `${what} is beyond the physical addresses of this processor (EINVAL of mmap): correct the address`;
    return new DeviceError('config', text, { cause: error });
  }
  return deviceErrorOf(error, what, {
    ...doorRemedies('mem', around.machine),
    EPERM: whyNotPermitted(space, around),
    EAGAIN: `the kernel maps it with another memory type already (x86: cat /sys/kernel/debug/x86/pat_memtype_list): stop who does`,
    ENOMEM: `too much is mapped already, or a limit on address space (ulimit -v, LimitAS=) is reached: ${hex(sizeBytes)} bytes are wanted`,
  });
}

function whyNotPermitted(space: PlannedSpace, around: Surroundings): string {
  const { machine, pageBytes } = around;
  if (machine.lockdown !== undefined || machine.rawIo === false) return notPermitted(machine);
  const holders = holdersOf(space.resource, machine, pageBytes);
  return (
    ofRam(holders) ??
    strictlyHeld(holders) ??
    heldBeside(space, holders, machine) ??
    (holders.unknown
      ? 'who holds it is not known, since /proc/iomem hides its addresses from this process: run it with CAP_SYS_ADMIN to see'
      : 'a driver of the kernel has it for itself (IORESOURCE_EXCLUSIVE), or took it just now: unbind that driver; iomem=relaxed does not help against the former')
  );
}

function ofRam({ ram }: Holders): string | undefined {
  return ram.length === 0 ? undefined : `it is RAM (${formatOccupants(ram)}), which STRICT_DEVMEM closes: no register`;
}

function strictlyHeld({ inside }: Holders): string | undefined {
  if (inside.length === 0) return undefined;
  return `the kernel holds ${formatOccupants(inside)}, and with IO_STRICT_DEVMEM (Debian has it) it gives out no page of that: unbind that driver, or boot with iomem=relaxed`;
}
