import { type Check, complain, isNeeded } from '../context.ts';
import { good } from '../finding.ts';
import { CAPABILITY, capabilitiesOf, giveCapability } from './capabilities.ts';
import { lockdownOf } from './lockdown.ts';

/** Whether this process can have x86 I/O ports. */
export const checkIoPorts: Check = (context) => {
  const { arch, portError } = context.facts;
  const about = 'I/O ports';
  if (arch !== 'x64') {
    if (!isNeeded('ports', context)) return [];
    return [
      complain('ports', context, {
        about,
        says: `there are none on ${arch}`,
        cause: 'I/O ports are a thing of x86; on other machines a bridge shows them in memory',
        remedy: "write the registers as memory: in the configuration, with the address of the bridge's window",
      }),
    ];
  }
  if (portError === undefined) return [good(about, 'ioperm gives them')];
  const mayUse = capabilitiesOf(context.roots).has(CAPABILITY.sysRawIo);
  // The capability is a finding of its own.
  if (!isNeeded('ports', context) && !mayUse) return [];
  const instead =
    lockdownOf(context.roots) === undefined
      ? '# a kernel without ioperm has 8-bit accesses: write through: dev-port in the configuration'
      : '# a kernel that is locked down closes /dev/port as well: see lockdown';
  return [
    complain('ports', context, {
      about,
      says: 'ioperm does not give them',
      cause: portError,
      remedy: mayUse ? instead : `${giveCapability('cap_sys_rawio')}\n${instead}`,
    }),
  ];
};
