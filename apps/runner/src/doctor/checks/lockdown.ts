import { join } from 'node:path';
import { type Check, complain } from '../context.ts';
import { textOf } from '../files.ts';
import { good } from '../finding.ts';

/** `integrity` or `confidentiality`; `undefined` where the kernel is not locked down. */
export function lockdownOf({ sys }: { readonly sys: string }): string | undefined {
  const [, state] = /\[(\w+)\]/.exec(textOf(join(sys, 'kernel/security/lockdown')) ?? '') ?? [];
  return state === 'none' ? undefined : state;
}

/** Whether the kernel closes its doors to root, too. */
export const checkLockdown: Check = (context) => {
  const state = lockdownOf(context.roots);
  if (state === undefined) return [good('lockdown', 'none')];
  // UIO still maps, but the PCI command register, which re-arms interrupts, is closed.
  const door = context.devices.some(({ backend }) => backend === 'uio' || backend === 'devmem') ? undefined : 'devmem';
  return [
    complain(door, context, {
      about: 'lockdown',
      says: `the kernel is locked down (${state})`,
      cause:
        'Secure Boot, or lockdown= of the kernel command line, closes /dev/mem, I/O ports, BARs and PCI configuration in sysfs: UIO on PCI gets one interrupt and no second one',
      remedy:
        'sudo mokutil --disable-validation  # asks for a password at the next start\n# or remove lockdown= from GRUB_CMDLINE_LINUX in /etc/default/grub, then: sudo update-grub && sudo reboot',
    }),
  ];
};
