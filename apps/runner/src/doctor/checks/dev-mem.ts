import { join } from 'node:path';
import { type Check, complain, isNeeded } from '../context.ts';
import { textOf } from '../files.ts';
import { good } from '../finding.ts';
import { CAPABILITY, capabilitiesOf, giveCapability } from './capabilities.ts';
import { lockdownOf } from './lockdown.ts';
import { addRule, newGroup } from './uio-nodes.ts';

/** Whether /dev/mem is there and opens. */
export const checkDevMem: Check = (context) => {
  const { roots, facts } = context;
  const about = '/dev/mem';
  const errno = facts.open(join(roots.dev, 'mem'));
  if (errno === undefined) return [good(about, 'opens')];
  if (errno === 'ENOENT' || errno === 'ENXIO') {
    return [
      complain('devmem', context, {
        about,
        says: 'there is none',
        cause: 'the kernel was built without CONFIG_DEVMEM, or this is a container, or a unit with PrivateDevices=yes',
        remedy: `grep DEVMEM /boot/config-${facts.kernel}  # y: give the node to the container or unit; not set: take UIO, backend: { type: uio }`,
      }),
    ];
  }
  if (errno === 'EACCES') {
    return [
      complain('devmem', context, {
        about,
        says: `no permission for ${facts.user}`,
        cause: 'the node belongs to root, group kmem, and the kernel asks for CAP_SYS_RAWIO as well',
        remedy: `${newGroup(facts.user)}\n${addRule('KERNEL=="mem", GROUP="ring3", MODE="0660"')}\nsudo udevadm control --reload && sudo udevadm trigger --subsystem-match=mem\n${giveCapability('cap_sys_rawio')}`,
      }),
    ];
  }
  // Lockdown and the capability are findings of their own.
  const known = lockdownOf(roots) !== undefined || !capabilitiesOf(roots).has(CAPABILITY.sysRawIo);
  if (known && !isNeeded('devmem', context)) return [];
  return [
    complain('devmem', context, {
      about,
      says: `does not open: ${errno}`,
      cause: known
        ? 'the kernel is locked down, or CAP_SYS_RAWIO is missing: see there'
        : 'a security module refuses it',
      remedy: 'sudo dmesg | tail  # names the rule',
    }),
  ];
};

/** Whether the kernel shows who has which addresses. */
export const checkResourcesShown: Check = (context) => {
  const { roots } = context;
  const about = '/proc/iomem';
  const text = textOf(join(roots.proc, 'iomem'));
  if (text !== undefined && /^ *0*[1-9a-f][0-9a-f]*-/m.test(text)) return [good(about, 'shows addresses')];
  return [
    {
      level: 'warning',
      about,
      says: 'addresses are hidden',
      cause: 'without CAP_SYS_ADMIN the kernel shows zeros: which ranges its drivers hold is unknown, not free',
      remedy: 'sudo ring3 doctor  # for the checks; a rig runs without it',
    },
  ];
};
