import {
  ABRT,
  ADDRESS_NAMES,
  accept,
  addressIn,
  BLOCKS,
  type Difference,
  END,
  EVERYTHING,
  endedWell,
  failedWith,
  forCommands,
  IDNF,
  LBA28_SECTORS,
} from './difference.ts';
import type { Fields } from './observation.ts';
import { type CommandStep, isWide } from './step.ts';

/** Codes and subcommands that QEMU has and the model refuses. */
const ONLY_QEMU = [0x10, 0x3c, 0x70, 0x94, 0x98, 0xb0, 0xf5];
const FEATURES_ONLY_QEMU = [0x05, 0x42, 0x67, 0x69, 0x85, 0x96, 0x9a, 0xc2];

const inCylindersWide = ({ opcode, lbaMode }: CommandStep) => isWide(opcode) && !lbaMode;

/** Bits of IDENTIFY DEVICE that show settings. */
const SETTINGS = [
  ['word 63', 0xff00],
  ['word 85', 0x0020],
  ['word 88', 0xff00],
] as const;

export const COMMAND_DIFFERENCES: readonly Difference[] = [
  {
    name: 'command that only QEMU has',
    verdict: 'optional',
    because:
      'RECALIBRATE, SEEK, WRITE VERIFY, old power codes, SMART, SECURITY FREEZE LOCK; the model answers ABRT (8.1).',
    explain: forCommands(
      ({ opcode }) => ONLY_QEMU.includes(opcode),
      (comparison) => {
        if (failedWith(comparison.ours, ABRT)) accept(comparison, ...END, ...BLOCKS, 'count', 'low', 'mid', 'high');
      },
    ),
  },
  {
    name: 'feature that only QEMU has',
    verdict: 'optional',
    because:
      'SET FEATURES for power management, acoustics and vendors: QEMU accepts and ignores them; the model aborts (8.46).',
    explain: forCommands(
      ({ opcode, features }) => opcode === 0xef && FEATURES_ONLY_QEMU.includes(features & 0xff),
      (comparison) => {
        if (failedWith(comparison.ours, ABRT) && endedWell(comparison.theirs)) accept(comparison, ...END);
      },
    ),
  },
  {
    name: 'transfer mode that no disk has',
    verdict: 'QEMU is wrong',
    because: 'QEMU accepts PIO mode 5 and single-word DMA; 8.46.10: a mode that is not supported is aborted.',
    explain: forCommands(
      ({ opcode, features }) => opcode === 0xef && (features & 0xff) === 0x03,
      (comparison) => {
        if (failedWith(comparison.ours, ABRT) && endedWell(comparison.theirs)) accept(comparison, ...END);
      },
    ),
  },
  {
    name: '48-bit command with cylinders',
    verdict: 'left open',
    because: 'QEMU takes cylinder, head and sector from it, the model aborts; 6.20: the LBA bit shall be one.',
    explain: forCommands(inCylindersWide, (comparison) => {
      if (failedWith(comparison.ours, ABRT)) accept(comparison, ...EVERYTHING);
    }),
  },
  {
    name: 'settings after a reset',
    verdict: 'QEMU is wrong',
    because:
      'QEMU keeps write cache and transfer mode over a software reset; 8.46: the defaults come back unless 66h was set.',
    explain: forCommands(
      ({ opcode }) => opcode === 0xec,
      ({ previous, ours, theirs }) => {
        if (previous?.kind === 'reset') takeSettings(ours, theirs);
      },
    ),
  },
  {
    name: 'DMA mode after another kind of mode',
    verdict: 'QEMU is wrong',
    because: 'QEMU forgets the DMA mode when a PIO or a single-word mode is set; 8.46.10: they are set independently.',
    explain: forCommands(
      ({ opcode }) => opcode === 0xec,
      ({ previous, ours, theirs }) => {
        if (previous?.kind === 'command' && previous.opcode === 0xef && previous.count < 0x20)
          takeSettings(ours, theirs);
      },
    ),
  },
  {
    name: 'multiple mode after a number that is refused',
    verdict: 'QEMU is wrong',
    because: 'QEMU keeps the number that was set before; 8.49: READ and WRITE MULTIPLE are disabled.',
    explain: forCommands(
      ({ opcode }) => opcode === 0xc4,
      (comparison) => {
        const { previous, ours } = comparison;
        const after = previous?.kind === 'command' && previous.opcode === 0xc6;
        if (after && failedWith(ours, ABRT)) accept(comparison, ...EVERYTHING);
      },
    ),
  },
  {
    name: 'CHECK POWER MODE',
    verdict: 'QEMU is wrong',
    because: 'QEMU is always active; 8.7: the mode that STANDBY and IDLE set.',
    explain: forCommands(
      ({ opcode }) => opcode === 0xe5,
      (comparison) => {
        if (comparison.theirs['count'] === 0xff) accept(comparison, 'count');
      },
    ),
  },
  {
    name: 'READ VERIFY does not look',
    verdict: 'QEMU is wrong',
    because: 'QEMU succeeds wherever it is; 8.36.6: IDNF when the address is beyond the end.',
    explain: forCommands(
      ({ opcode }) => [0x40, 0x41, 0x42].includes(opcode),
      (comparison) => {
        const { ours, theirs } = comparison;
        if (failedWith(ours, IDNF) && endedWell(theirs)) accept(comparison, ...END, ...ADDRESS_NAMES, 'count');
      },
    ),
  },
  {
    name: 'READ NATIVE MAX ADDRESS of a large disk',
    verdict: 'QEMU is wrong',
    because:
      'QEMU cuts the address to 28 bits; 8.32.8: a disk beyond 28 bits returns the highest address that they reach.',
    explain: forCommands(
      ({ opcode, lbaMode }) => opcode === 0xf8 && lbaMode,
      (comparison, step) => {
        const last = comparison.sectors - 1;
        if (last < LBA28_SECTORS || addressIn(comparison.theirs, step, false) % 2 ** 28 !== last % 2 ** 28) return;
        accept(comparison, ...ADDRESS_NAMES);
      },
    ),
  },
  {
    name: 'READ NATIVE MAX ADDRESS in cylinders',
    verdict: 'left open',
    because: 'QEMU gives cylinder, head and sector, the model aborts; 8.32.4: the LBA bit shall be one.',
    explain: forCommands(
      ({ opcode, lbaMode }) => opcode === 0xf8 && !lbaMode,
      (comparison) => {
        if (failedWith(comparison.ours, ABRT)) accept(comparison, ...END, ...ADDRESS_NAMES);
      },
    ),
  },
  {
    name: 'EXECUTE DEVICE DIAGNOSTIC for an absent device 1',
    verdict: 'QEMU is wrong',
    because: 'QEMU ignores it; 8.11: both devices execute it, whichever is selected, and device 0 answers.',
    explain: forCommands(
      ({ opcode, device }) => opcode === 0x90 && device === 1,
      (comparison) => {
        if (comparison.sectors === 0) accept(comparison, ...END, ...ADDRESS_NAMES, 'count', 'count before');
      },
    ),
  },
  {
    name: 'selection after EXECUTE DEVICE DIAGNOSTIC',
    verdict: 'QEMU is wrong',
    because: 'QEMU keeps device 1 selected and the mode bits of Device; 9.12: the signature has 00h there.',
    explain: forCommands(
      ({ opcode }) => opcode === 0x90,
      (comparison) => accept(comparison, 'device'),
    ),
  },
  {
    name: 'previous content after EXECUTE DEVICE DIAGNOSTIC',
    verdict: 'left open',
    because: 'QEMU keeps what HOB shows, the model clears it; 9.12 speaks of the registers without HOB only.',
    explain: forCommands(
      ({ opcode }) => opcode === 0x90,
      (comparison) => accept(comparison, 'count before', 'low before', 'mid before', 'high before'),
    ),
  },
];

/** Takes over what the model shows of its settings. */
function takeSettings(ours: Fields, theirs: Fields): void {
  for (const [word, bits] of SETTINGS) {
    const [one, other] = [ours[word], theirs[word]];
    if (one !== undefined && other !== undefined) theirs[word] = (other & ~bits) | (one & bits);
  }
}
