import {
  type DeviceDescription,
  DeviceError,
  formatIdentity,
  formatPciAddress,
  parsePciAddress,
  type SpaceResource,
} from '@ring3/core';
import type { Board } from './boards/board.ts';
import type { Inventory } from './machine/inventory.ts';
import { dmaMemory } from './machine/machine-connection.ts';
import type { FunctionNumber } from './pci/config-space.ts';
import {
  addressOf,
  identityOf,
  interruptsOf,
  type PciFunction,
  type RoutedInterrupt,
  spacesOf,
} from './pci/pci-function.ts';
import type { BusKind } from './qtest/bus.ts';
import type { QemuSelect } from './selector.ts';

/** A space and where the processor finds it. */
export interface LocatedSpace {
  readonly resource: SpaceResource;
  readonly bus: BusKind;
  readonly base: bigint;
}

/** A device of a machine, and how to reach it. */
export interface LocatedDevice {
  readonly description: DeviceDescription;
  readonly spaces: readonly LocatedSpace[];
  readonly interrupts: readonly RoutedInterrupt[];
  /** Missing for a device that is part of the board. */
  readonly pci?: PciFunction;
}

/** A machine as far as descriptions go. */
export interface Surroundings {
  readonly board: Board;
  readonly inventory: Inventory;
  /** Whose addresses they are. */
  readonly domain: string;
}

/** Base class of host bridges, bus bridges and the like: nothing for a driver. */
const BRIDGE = 0x06;

/** All devices that a driver could have. */
export function locateAll(around: Surroundings): LocatedDevice[] {
  const functions = around.inventory.functions.filter(({ classCode }) => classCode >>> 16 !== BRIDGE);
  return [
    ...functions.map((fn) => locateFunction(fn, around)),
    ...Object.keys(around.board.devices).map((name) => locateBoardDevice(name, around)),
  ];
}

/** The device that is meant. @throws DeviceError `not-found` that lists what there is. */
export function locate(select: QemuSelect | undefined, around: Surroundings): LocatedDevice {
  const { board, inventory } = around;
  if (typeof select === 'string' && board.devices[select] !== undefined) return locateBoardDevice(select, around);
  const fn = findFunction(select, board, inventory);
  if (fn !== undefined) return locateFunction(fn, around);
  const there = locateAll(around).map(
    ({ description }) => `${description.id} (${formatIdentity(description.identity)})`,
  );
  throw new DeviceError(
    'not-found',
    `the machine ${board.name} has no device ${words(select)}; there are: ${there.join('; ') || 'none'}`,
  );
}

function findFunction(
  select: QemuSelect | undefined,
  board: Board,
  { functions, slots }: Inventory,
): PciFunction | undefined {
  if (typeof select === 'object') {
    const address = formatPciAddress(parsePciAddress(select.pci));
    return functions.find((fn) => addressOf(fn) === address);
  }
  const at: FunctionNumber | undefined =
    select === undefined ? Object.values(slots)[0] : (board.functions[select] ?? slots[select]);
  return at && functions.find((fn) => fn.device === at.device && fn.function === at.function);
}

function words(select: QemuSelect | undefined): string {
  if (select === undefined) return 'of the configuration on bus 0 of PCI: say which one with select';
  return typeof select === 'string' ? `"${select}" with registers of its own` : `at PCI address ${select.pci}`;
}

function locateFunction(fn: PciFunction, { board, domain }: Surroundings): LocatedDevice {
  const { pci } = board;
  if (pci === undefined) throw new DeviceError('not-found', `${board.name} has no PCI bus`);
  const spaces = spacesOf(fn).map((resource): LocatedSpace => {
    const { cpuBus, cpuBase } = resource.kind === 'port' ? pci.ports : pci.memory;
    return { resource, bus: cpuBus, base: cpuBase + resource.start };
  });
  const interrupts = interruptsOf(fn, pci);
  const description: DeviceDescription = {
    id: addressOf(fn),
    domain,
    identity: identityOf(fn),
    spaces: spaces.map(({ resource }) => resource),
    interrupts: interrupts.map(({ resource }) => resource),
    ...dmaOf(board),
    simulated: true,
  };
  return { description, spaces, interrupts, pci: fn };
}

function locateBoardDevice(name: string, { board, domain }: Surroundings): LocatedDevice {
  const device = board.devices[name];
  if (device === undefined) throw new DeviceError('not-found', `${board.name} has no device "${name}"`);
  const spaces = device.spaces.map((space): LocatedSpace => {
    return { resource: { kind: 'memory', ...space }, bus: 'memory', base: space.start };
  });
  const interrupts = device.interrupts.map(({ name: called, line, called: text }, index): RoutedInterrupt => {
    return { resource: { index, name: called, trigger: 'level', line: text }, line };
  });
  const description: DeviceDescription = {
    id: name,
    domain,
    identity: { compatible: device.compatible, name },
    spaces: spaces.map(({ resource }) => resource),
    interrupts: interrupts.map(({ resource }) => resource),
    ...(device.dma === true ? dmaOf(board) : {}),
    simulated: true,
  };
  return { description, spaces, interrupts };
}

function dmaOf(board: Board): Pick<DeviceDescription, 'dma'> {
  const { dma, ramBytes } = board;
  return dma === undefined ? {} : { dma: { memory: dmaMemory(board), sizeBytes: ramBytes - dma.ramOffset } };
}
