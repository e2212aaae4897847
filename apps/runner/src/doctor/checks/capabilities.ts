import { join } from 'node:path';
import { type Check, complain, isNeeded } from '../context.ts';
import { textOf } from '../files.ts';
import { good } from '../finding.ts';

/** Numbers of capabilities. Source: Linux, include/uapi/linux/capability.h. */
export const CAPABILITY = { sysRawIo: 17, sysAdmin: 21 } as const;

/** The effective capabilities of this process. */
export function capabilitiesOf({ proc }: { readonly proc: string }): ReadonlySet<number> {
  const [, hex = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(textOf(join(proc, 'self/status')) ?? '') ?? [];
  const bits = BigInt(`0x${hex}`);
  return new Set(Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => ((bits >> BigInt(bit)) & 1n) === 1n));
}

/** How a service, or a person, gets a capability. */
export function giveCapability(name: string): string {
  const one = `+${name.replace('cap_', '')}`;
  return [
    'sudo systemctl edit my-rig.service  # and there:',
    '[Service]',
    `AmbientCapabilities=${name.toUpperCase()}`,
    `# or by hand: sudo setpriv --reuid="$(id -u)" --regid="$(id -g)" --init-groups --inh-caps=${one} --ambient-caps=${one} "$(command -v ring3)" run CONFIG`,
  ].join('\n');
}

/** Whether this process has the capabilities that /dev/mem and I/O ports ask for. */
export const checkCapabilities: Check = (context) => {
  const held = capabilitiesOf(context.roots);
  const about = 'capabilities';
  if (held.has(CAPABILITY.sysRawIo)) {
    const admin = held.has(CAPABILITY.sysAdmin) ? ', CAP_SYS_ADMIN' : '';
    return [good(about, `CAP_SYS_RAWIO${admin}`)];
  }
  const door = isNeeded('ports', context) ? 'ports' : 'devmem';
  return [
    complain(door, context, {
      about,
      says: 'no CAP_SYS_RAWIO',
      cause: 'the kernel asks for it at /dev/mem and for I/O ports; UIO needs none',
      remedy: giveCapability('cap_sys_rawio'),
    }),
  ];
};
