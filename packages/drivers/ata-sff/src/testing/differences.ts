import { COMMAND_DIFFERENCES } from './command-differences.ts';
import { ADDRESS_NAMES, accept, type Difference, END } from './difference.ts';
import { IDENTIFY_DIFFERENCES } from './identify-differences.ts';
import { TRANSFER_DIFFERENCES } from './transfer-differences.ts';

const GENERAL_DIFFERENCES: readonly Difference[] = [
  {
    name: 'interrupt after a reset',
    verdict: 'QEMU is wrong',
    because: 'QEMU interrupts at the end of a software reset; 9.2: no interrupt.',
    explain: (comparison) => {
      if (comparison.step.kind === 'reset') accept(comparison, 'end interrupt');
    },
  },
  {
    name: 'selection after a reset',
    verdict: 'QEMU is wrong',
    because: 'QEMU keeps device 1 selected, so that an absent one answers; 9.2: device 0 is selected.',
    explain: (comparison) => {
      const { step, theirs } = comparison;
      if (step.kind === 'reset' && theirs['end status'] === 0) {
        accept(comparison, ...END, ...ADDRESS_NAMES, 'count');
      }
    },
  },
  {
    name: 'Error of an absent device 1',
    verdict: 'QEMU is wrong',
    because: 'QEMU reads Error as zero; 9.16.1: device 0 answers with its own.',
    explain: (comparison) => {
      if (comparison.sectors === 0 && comparison.theirs['error'] === 0) accept(comparison, 'error');
    },
  },
  {
    name: 'obsolete bits of Device',
    verdict: 'left open',
    because: 'QEMU reads bits 7 and 5 of Device as ones, the model as they were written; 7.7: obsolete.',
    explain: ({ ours, theirs }) => {
      const device = theirs['device'] ?? 0;
      if ((device & 0xa0) === 0xa0) theirs['device'] = (device & 0x5f) | ((ours['device'] ?? 0) & 0xa0);
    },
  },
  {
    name: 'bit 4 of Status',
    verdict: 'left open',
    because:
      'QEMU sets it (DSC) after some commands, the model with every DRDY; 7.15: its meaning depends on the command.',
    explain: ({ ours, theirs }) => {
      for (const name of Object.keys(ours).filter((each) => /^alternate$|status$/.test(each))) {
        const [one, other] = [ours[name] ?? 0, theirs[name] ?? 0];
        if ((one & other & 0x40) !== 0) theirs[name] = (other & 0xef) | (one & 0x10);
      }
    },
  },
];

/** In the order in which they are tried: what a whole step is about before single registers. */
export const DIFFERENCES: readonly Difference[] = [
  ...COMMAND_DIFFERENCES,
  ...IDENTIFY_DIFFERENCES,
  ...TRANSFER_DIFFERENCES,
  ...GENERAL_DIFFERENCES,
];
