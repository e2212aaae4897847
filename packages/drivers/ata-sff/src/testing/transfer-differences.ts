import {
  ABRT,
  ADDRESS_NAMES,
  accept,
  addressIn,
  type Difference,
  EVERYTHING,
  endedWell,
  failedWith,
  forCommands,
  IDNF,
  LBA28_SECTORS,
} from './difference.ts';
import { MOST_SECTORS } from './dma-transfer.ts';
import { type CommandStep, isWide, movesSectors, protocolOf, sectorsAsked } from './step.ts';

const isDma = ({ opcode }: CommandStep) => protocolOf(opcode).startsWith('dma');

export const TRANSFER_DIFFERENCES: readonly Difference[] = [
  {
    name: 'table shorter than the command',
    verdict: 'QEMU is wrong',
    because:
      'QEMU ends the command well, without an interrupt, and moves nothing; SFF-8038i 3.1: the device waits for the rest.',
    explain: forCommands(
      (step) => isDma(step) && (step.table === 'shorter' || sectorsAsked(step) > MOST_SECTORS),
      (comparison) => {
        const { theirs } = comparison;
        const silently = endedWell(theirs) && theirs['end interrupt'] === 0 && theirs['bus master'] === 0x60;
        if (silently) accept(comparison, ...EVERYTHING);
      },
    ),
  },
  {
    name: 'registers in mid-transfer',
    verdict: 'left open',
    because: 'QEMU counts them on with every block, the model at the end; 7: not defined while BSY or DRQ is set.',
    explain: forCommands(movesSectors, (comparison) => {
      const { ours, theirs } = comparison;
      if (ours['abandoned'] === 1 && theirs['abandoned'] === 1) accept(comparison, ...ADDRESS_NAMES, 'count');
    }),
  },
  {
    name: 'registers after a good transfer',
    verdict: 'left open',
    because: 'QEMU leaves the address behind the last sector, the model that of the last; 8.34.5: not defined.',
    explain: forCommands(movesSectors, (comparison, step) => {
      const { ours, theirs } = comparison;
      if (!endedWell(ours) || !endedWell(theirs)) return;
      const wide = isWide(step.opcode);
      const one = addressIn(ours, step, wide);
      if (step.lbaMode && addressIn(theirs, step, wide) !== one + 1) return;
      accept(comparison, ...ADDRESS_NAMES);
    }),
  },
  {
    name: 'registers after DATA SET MANAGEMENT',
    verdict: 'left open',
    because:
      'QEMU counts as if sectors were transferred, the model leaves the registers alone; ACS-2 7.10: not defined.',
    explain: forCommands(
      ({ opcode }) => opcode === 0x06,
      (comparison) => {
        if (endedWell(comparison.ours) && endedWell(comparison.theirs)) accept(comparison, ...ADDRESS_NAMES, 'count');
      },
    ),
  },
  {
    name: '28-bit command beyond its reach',
    verdict: 'QEMU is wrong',
    because:
      'QEMU goes on over sector FFFFFFEh and lets the carry into the selection; 6.2: the highest 28-bit address is FFFFFFEh.',
    explain: forCommands(movesSectors, (comparison, step) => {
      const reaches = step.address + sectorsAsked(step) > LBA28_SECTORS && comparison.sectors > LBA28_SECTORS;
      if (isWide(step.opcode) || !step.lbaMode || !reaches) return;
      if (failedWith(comparison.ours, IDNF)) accept(comparison, ...EVERYTHING, ...blockNames(comparison.ours));
    }),
  },
  {
    name: 'ABRT for an address beyond the end',
    verdict: 'QEMU is wrong',
    because:
      'QEMU sets ABRT and keeps its registers; 8.34.6: IDNF with the address of the first sector that cannot be found.',
    explain: forCommands(
      (step) => movesSectors(step) || step.opcode === 0x06,
      (comparison) => {
        if (!failedWith(comparison.ours, IDNF) || !failedWith(comparison.theirs, ABRT)) return;
        accept(comparison, 'error', ...ADDRESS_NAMES, 'count');
      },
    ),
  },
  {
    name: 'block that cannot be written',
    verdict: 'left open',
    because: 'QEMU takes the data before it looks at the address, the model looks first; 9.6 has both ways.',
    explain: forCommands(
      ({ opcode }) => protocolOf(opcode) === 'pio-out',
      (comparison) => {
        const { ours, theirs } = comparison;
        const more = (theirs['blocks'] ?? 0) - (ours['blocks'] ?? 0);
        if (failedWith(ours, IDNF) && more === 1) accept(comparison, 'blocks', 'sectors');
      },
    ),
  },
  {
    name: 'sector 0 and cylinders that are not there',
    verdict: 'QEMU is wrong',
    because: 'QEMU computes with any cylinder, head and sector; 6.2: IDNF for what the translation does not have.',
    explain: forCommands(
      (step) => !step.lbaMode && movesSectors(step),
      (comparison) => {
        if (failedWith(comparison.ours, IDNF)) accept(comparison, ...EVERYTHING, ...blockNames(comparison.ours));
      },
    ),
  },
  {
    name: 'sectors before the end of the disk',
    verdict: 'left open',
    because:
      'Of a DMA transfer over the end QEMU moves nothing, the model moves what is there; 8.27.6: data is indeterminate.',
    explain: forCommands(isDma, (comparison) => {
      const { ours, theirs } = comparison;
      if (failedWith(ours, theirs['error'] ?? -1)) accept(comparison, 'data');
    }),
  },
  {
    name: 'bus master after a failed command',
    verdict: 'QEMU is wrong',
    because:
      'QEMU clears Active; SFF-8038i section 3.1: it stays set, with Interrupt, while the table is not exhausted.',
    explain: forCommands(isDma, (comparison) => {
      const { ours, theirs } = comparison;
      const cleared = (ours['bus master'] ?? 0) === ((theirs['bus master'] ?? 0) | 1);
      if (cleared && (ours['end status'] ?? 0) % 2 === 1) accept(comparison, 'bus master');
    }),
  },
];

function blockNames(fields: Readonly<Record<string, number>>): string[] {
  return Object.keys(fields).filter((name) => name.startsWith('block '));
}
