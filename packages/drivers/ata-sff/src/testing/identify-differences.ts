import { type Difference, forCommands } from './difference.ts';

const IDENTIFY_DEVICE = 0xec;

/** Words of IDENTIFY DEVICE (ATA/ATAPI-6 section 8.15) in which these bits differ for a reason. */
const WORDS: readonly { readonly words: readonly number[]; readonly bits: number; readonly because: string }[] = [
  { words: [2], bits: 0xffff, because: 'specific configuration: the model says C837h, QEMU leaves it out' },
  { words: [4, 5, 20, 21, 22, 52], bits: 0xffff, because: 'retired or obsolete: QEMU still fills them' },
  { words: [48], bits: 0xffff, because: 'reserved: QEMU says that 32-bit accesses work' },
  { words: [49, 50], bits: 0x6400, because: 'standby timer and IORDY: optional' },
  {
    words: [54, 55, 56, 57, 58],
    bits: 0xffff,
    because: 'translation: QEMU keeps showing what it began with, and is wrong',
  },
  { words: [59], bits: 0x01ff, because: 'sectors of a block: QEMU keeps showing what it began with, and is wrong' },
  { words: [62], bits: 0xffff, because: 'retired: QEMU has single-word DMA modes' },
  { words: [69], bits: 0x4020, because: 'what a trimmed sector reads as: optional' },
  { words: [80], bits: 0x01fe, because: 'the versions of the standard' },
  { words: [81], bits: 0xffff, because: 'minor version: optional' },
  { words: [82, 85], bits: 0x446d, because: 'SMART, host protected area, power management, look-ahead: optional' },
  { words: [88], bits: 0x0040, because: 'Ultra DMA mode 6: optional' },
  { words: [93], bits: 0xffff, because: 'result of the hardware reset: QEMU has only the bits that it wants' },
  { words: [105], bits: 0xffff, because: 'how much one DATA SET MANAGEMENT takes: optional' },
  { words: [106], bits: 0x7fff, because: 'physical sectors: QEMU always says that the word is valid and relevant' },
  { words: [255], bits: 0xffff, because: 'checksum: optional, QEMU has none' },
];

/** One difference for each reason. */
export const IDENTIFY_DIFFERENCES: readonly Difference[] = WORDS.map(({ words, bits, because }) => ({
  name: `IDENTIFY DEVICE, ${words.length === 1 ? 'word' : 'words'} ${words.join(', ')}`,
  verdict: 'optional',
  because,
  explain: forCommands(
    ({ opcode }) => opcode === IDENTIFY_DEVICE,
    ({ ours, theirs }) => {
      for (const word of words.map((each) => `word ${each}`)) {
        const [one, other] = [ours[word], theirs[word]];
        if (one !== undefined && other !== undefined && ((one ^ other) & ~bits) === 0) theirs[word] = one;
      }
    },
  ),
}));
