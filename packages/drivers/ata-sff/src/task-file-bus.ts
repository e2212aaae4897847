/** Where the registers of a task file are, whatever the bus. */
import { COMMAND_BLOCK, controlLayout, controlOffset } from './registers.ts';

/** What the configuration says of the bus. */
export interface BusSettings {
  /** Bytes from one register of the command block to the next. */
  readonly registerStride: number;
  /** In bytes; default: as on PCI and on legacy ports. */
  readonly controlOffset?: number | undefined;
  readonly dataWidth: 8 | 16 | 32;
}

/**
 * Where the control block is: in a space of its own, of this size, or in the command space where there is none and the
 * configuration has an offset.
 */
export function placeControl(
  sizeBytes: number | undefined,
  { controlOffset: offset, registerStride }: Pick<BusSettings, 'controlOffset' | 'registerStride'>,
): { readonly space: 'control' | 'command'; readonly layout: ReturnType<typeof controlLayout> } | undefined {
  if (sizeBytes !== undefined) {
    const usual = registerStride === 1 ? controlOffset(sizeBytes) : 0;
    return { space: 'control', layout: controlLayout(offset ?? usual) };
  }
  return offset === undefined ? undefined : { space: 'command', layout: controlLayout(offset) };
}

/** The registers of the command block with a stride. */
export function commandLayout(stride: number): typeof COMMAND_BLOCK {
  const registers = Object.entries(COMMAND_BLOCK).map(([name, register]) => [
    name,
    { ...register, offset: register.offset * stride },
  ]);
  return Object.fromEntries(registers) as typeof COMMAND_BLOCK;
}
