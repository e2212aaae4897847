import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KernelResources, type LinuxRoots, linuxRoots, readKernelResources } from '@ring3/linux';

/** What decides about `/dev/mem` and I/O ports on this machine, read anew at each question. */
export interface Machine {
  readonly resources: KernelResources;
  /** `integrity` or `confidentiality` where the kernel is locked down. */
  readonly lockdown: string | undefined;
  /** The kernel was started with `iomem=relaxed`. */
  readonly iomemRelaxed: boolean;
  /** Whether this process has CAP_SYS_RAWIO; `undefined` where nobody says. */
  readonly rawIo: boolean | undefined;
}

/** Bit of CAP_SYS_RAWIO. Source: Linux, include/uapi/linux/capability.h. */
const CAP_SYS_RAWIO = 17n;

/** Reads what the kernel says about itself. */
export function readMachine(roots: LinuxRoots): Machine {
  const { sys, proc } = linuxRoots(roots);
  const [, lockdown] = /\[(\w+)\]/.exec(textOf(join(sys, 'kernel/security/lockdown'))) ?? [];
  const [, capabilities] = /^CapEff:\s*([0-9a-f]+)$/m.exec(textOf(join(proc, 'self/status'))) ?? [];
  return {
    resources: readKernelResources({ proc }),
    lockdown: lockdown === 'none' ? undefined : lockdown,
    iomemRelaxed: /(?:^|\s)iomem=relaxed(?:\s|$)/.test(textOf(join(proc, 'cmdline'))),
    rawIo: capabilities === undefined ? undefined : ((BigInt(`0x${capabilities}`) >> CAP_SYS_RAWIO) & 1n) === 1n,
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
