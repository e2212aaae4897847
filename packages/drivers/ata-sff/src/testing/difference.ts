import type { Fields } from './observation.ts';
import type { CommandStep, Step } from './step.ts';

/** One step on both sides, while differences are being explained. */
export interface Comparison {
  readonly step: Step;
  /** What was done before it. */
  readonly previous: Step | undefined;
  /** Sectors of the device that the step is for; 0: there is no such device. */
  readonly sectors: number;
  readonly ours: Fields;
  /** What QEMU shows. An explanation overwrites what it explains with what the model shows, and nothing else. */
  readonly theirs: Fields;
}

/** A difference between the model and QEMU that is understood. */
export interface Difference {
  readonly name: string;
  /** `QEMU is wrong`, `left open` by the standard, `optional`: only one of them has it, and says so. */
  readonly verdict: 'QEMU is wrong' | 'left open' | 'optional';
  /** What QEMU does, and what decides: sections of ATA/ATAPI-6 (T13/1410D revision 3b) unless another document is named. */
  readonly because: string;
  readonly explain: (comparison: Comparison) => void;
}

export const ABRT = 0x04;
export const IDNF = 0x10;

const STATUS_NAMES = ['alternate', 'end status'];
export const ADDRESS_NAMES = ['low', 'mid', 'high', 'device', 'low before', 'mid before', 'high before'];

/** The highest 28-bit address is one less. */
export const LBA28_SECTORS = 2 ** 28 - 1;
/** How a command ended. */
export const END = [...STATUS_NAMES, 'end interrupt', 'error', 'abandoned'];
/** What was moved. */
export const BLOCKS = ['blocks', 'sectors', 'bytes'];
/** All that is left of a transfer when it is not compared further. */
export const EVERYTHING = [
  ...END,
  ...BLOCKS,
  'bus master',
  'bus master stopped',
  'bus master cleared',
  ...ADDRESS_NAMES,
  'count',
  'data',
];

/** Runs an explanation for some commands only. */
export function forCommands(
  fits: (step: CommandStep) => boolean,
  explain: (comparison: Comparison, step: CommandStep) => void,
): Difference['explain'] {
  return (comparison) => {
    const { step } = comparison;
    if (step.kind === 'command' && fits(step)) explain(comparison, step);
  };
}

/** Takes over what the model shows. */
export function accept({ ours, theirs }: Comparison, ...names: readonly string[]): void {
  for (const name of names) {
    const value = ours[name];
    if (value === undefined) delete theirs[name];
    else theirs[name] = value;
  }
}

/** Whether the command ended with this Error register, and nothing else was wrong. */
export function failedWith(fields: Fields, error: number): boolean {
  return (fields['end status'] ?? 0) % 2 === 1 && fields['error'] === error;
}

/** Whether the command ended well. */
export function endedWell(fields: Fields): boolean {
  return ((fields['end status'] ?? 0) & 0xa9) === 0;
}

/** The address in the registers, by the rules of the command; cylinders, heads and sectors as they are. */
export function addressIn(fields: Fields, step: CommandStep, wide: boolean): number {
  const at = (name: string) => fields[name] ?? 0;
  const low = at('low') + at('mid') * 0x100 + at('high') * 0x1_0000;
  if (!step.lbaMode) return low * 0x10 + (at('device') & 0x0f);
  if (!wide) return low + (at('device') & 0x0f) * 0x100_0000;
  return low + (at('low before') + at('mid before') * 0x100 + at('high before') * 0x1_0000) * 0x100_0000;
}
