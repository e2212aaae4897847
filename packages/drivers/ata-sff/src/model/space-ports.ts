import type { Width } from '@ring3/core';
import type { BusMaster } from './bus-master.ts';
import { BUS_MASTER } from './bus-master-registers.ts';
import type { ChannelWindow } from './channel-window.ts';
import { LocalBusPort } from './local-bus.ts';
import type { LocalBusOptions } from './options.ts';

/** One space of the description, as accesses find it. */
export interface SpacePort {
  read(offset: number, width: Width): number;
  write(offset: number, width: Width, value: number): void;
  /** @returns false where single accesses would do something else. */
  readFifo?(offset: number, width: Width, into: Uint8Array): boolean;
  writeFifo?(offset: number, width: Width, from: Uint8Array): boolean;
}

/** The spaces of the PCI function, by name. */
export function pciPorts(
  windows: readonly [ChannelWindow, ChannelWindow],
  busMasters: readonly [BusMaster, BusMaster],
): ReadonlyMap<string, SpacePort> {
  const of = (offset: number) => busMasters[offset < BUS_MASTER.channelBytes ? 0 : 1];
  return new Map<string, SpacePort>([
    ['command0', windows[0]],
    ['control0', controlPort(windows[0])],
    ['command1', windows[1]],
    ['control1', controlPort(windows[1])],
    [
      'busMaster',
      {
        read: (offset, width) => of(offset).read(offset % BUS_MASTER.channelBytes, width),
        write: (offset, width, value) => of(offset).write(offset % BUS_MASTER.channelBytes, width, value),
      },
    ],
  ]);
}

/** The spaces of a channel on a local bus, by name. */
export function localBusPorts(window: ChannelWindow, bus: LocalBusOptions): ReadonlyMap<string, SpacePort> {
  const { controlStart, controlOffset } = bus;
  const inside = controlStart === undefined ? controlOffset : undefined;
  const command = new LocalBusPort(window, bus, { registers: 8, controlOffset: inside });
  const control = new LocalBusPort(window, bus, { registers: 0, controlOffset: controlOffset ?? 0 });
  return new Map<string, SpacePort>([
    ['command0', command],
    ['control0', control],
  ]);
}

function controlPort(window: ChannelWindow): SpacePort {
  return {
    read: (offset, width) => window.readControl(offset, width),
    write: (offset, width, value) => window.writeControl(offset, width, value),
  };
}
