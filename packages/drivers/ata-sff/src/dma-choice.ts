/** Pure: whether the data of a disk move by bus master. */
import type { DmaMode } from './identify.ts';

/** What is known of a disk and of the bus master of its channel. */
export interface DmaFacts {
  readonly hasBusMaster: boolean;
  /** The mode that is selected in the device. */
  readonly mode: DmaMode | undefined;
  /** Firmware has set the device's bit in the bus master's status: the controller's timing fits. */
  readonly prepared: boolean;
}

/** Decides, and says why. `auto` needs the word of firmware and of the device; `on` that of the device. */
export function chooseDma(
  option: 'auto' | 'on' | 'off',
  { hasBusMaster, mode, prepared }: DmaFacts,
): { readonly use: boolean; readonly words: string } {
  const no = (why: string) => ({ use: false, words: `programmed I/O (${why})` });
  if (option === 'off') return no('the options say so');
  if (!hasBusMaster) return no('no bus master, or no memory for it');
  if (mode === undefined) return no('no DMA mode is selected in the disk');
  if (option === 'auto' && !prepared) return no('firmware did not prepare the bus master for it; dma: on does without');
  return { use: true, words: describeMode(mode) };
}

/** `Ultra DMA mode 2`. */
export function describeMode({ kind, mode }: DmaMode): string {
  return `${kind === 'ultra' ? 'Ultra' : 'Multiword'} DMA mode ${mode}`;
}

/** Whether two devices, or one at two times, have the same mode selected. */
export function isSameMode(one: DmaMode | undefined, other: DmaMode | undefined): boolean {
  return one?.kind === other?.kind && one?.mode === other?.mode;
}
