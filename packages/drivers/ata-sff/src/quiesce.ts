import type { QuiesceStep } from '@ring3/core';
import type { AtaOptions } from './options.ts';
import { busMasterLayout, DEVICE_CONTROL } from './registers.ts';
import { placeControl } from './task-file-bus.ts';

/** The sizes of the spaces that a device has. */
export interface SpaceSizes {
  readonly command0?: number;
  readonly control0?: number;
  readonly command1?: number;
  readonly control1?: number;
  readonly busMaster?: number;
}

/**
 * What makes the device harmless without the driver: the bus masters of both channels stopped, then nIEN on each channel.
 * No reset is needed, and none is done: a write that the device has its data of shall not be broken off.
 */
export function quiesceSteps(sizes: SpaceSizes, options: AtaOptions): QuiesceStep[] {
  const channels = [0, 1] as const;
  const stop =
    sizes.busMaster === undefined
      ? []
      : channels.map((channel) => write('busMaster', busMasterLayout(channel).command, 0));
  return [...stop, ...channels.flatMap((channel) => maskInterrupts(sizes, channel, options))];
}

function maskInterrupts(sizes: SpaceSizes, channel: 0 | 1, options: AtaOptions): QuiesceStep[] {
  if (sizes[`command${channel}`] === undefined) return [];
  const place = placeControl(sizes[`control${channel}`], options);
  if (place === undefined) return [];
  return [write(`${place.space}${channel}`, place.layout.deviceControl, DEVICE_CONTROL.nIEN)];
}

function write(
  space: string,
  { offset, width }: { readonly offset: number; readonly width: QuiesceStep['width'] },
  value: number,
): QuiesceStep {
  return { kind: 'write', space, width, offset, value };
}
