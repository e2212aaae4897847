import { type DeviceIdentity, formatPciAddress, type InterruptResource, type SpaceResource } from '@ring3/core';
import type { PciBoard } from '../boards/board.ts';
import type { AssignedBar } from './assign.ts';
import type { FunctionNumber } from './config-space.ts';

/** A function of bus 0 with its resources assigned. */
export interface PciFunction extends FunctionNumber {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly classCode: number;
  readonly revision: number;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  readonly bars: readonly AssignedBar[];
  /** 1 for INTA#, 0 for none. */
  readonly pin: number;
}

/** An interrupt and the line of the board's controller that it reaches. */
export interface RoutedInterrupt {
  readonly resource: InterruptResource;
  readonly line: number;
}

const IDE_CLASS = 0x0101;
/** Bit 0 of the programming interface for channel 0, bit 2 for channel 1: native mode. PCI IDE Controller Specification 1.0. */
const NATIVE = [0x01, 0x04];
const IDE_NAMES = ['command0', 'control0', 'command1', 'control1', 'busMaster'];
/** The ports and interrupts of the AT. */
const AT_CHANNELS = [
  { command: 0x1f0n, control: 0x3f6n, irq: 14 },
  { command: 0x170n, control: 0x376n, irq: 15 },
];

/** Whether it is an IDE controller. */
export function isIde({ classCode }: Pick<PciFunction, 'classCode'>): boolean {
  return classCode >>> 8 === IDE_CLASS;
}

/** `0000:00:04.0`. */
export function addressOf(at: FunctionNumber): string {
  return formatPciAddress({ domain: 0, bus: 0, ...at });
}

/** What a driver matches by; without its address, which would be that of another device on this machine's own bus. */
export function identityOf(fn: PciFunction): DeviceIdentity {
  const { vendorId, deviceId, classCode, revision, subsystemVendorId, subsystemId } = fn;
  return { pci: { vendorId, deviceId, classCode, revision, subsystemVendorId, subsystemId } };
}

/** The channels of an IDE controller that are at the fixed ports of the AT. */
function compatibleChannels(fn: PciFunction): number[] {
  return isIde(fn) ? [0, 1].filter((channel) => (fn.classCode & (NATIVE[channel] as number)) === 0) : [];
}

/** The registers of a function; an IDE controller's have the names of its channels. */
export function spacesOf(fn: PciFunction): SpaceResource[] {
  const fixed = compatibleChannels(fn).flatMap((channel): SpaceResource[] => {
    const { command, control } = AT_CHANNELS[channel] as (typeof AT_CHANNELS)[number];
    return [
      { kind: 'port', bar: 2 * channel, name: `command${channel}`, start: command, sizeBytes: 8 },
      { kind: 'port', bar: 2 * channel + 1, name: `control${channel}`, start: control, sizeBytes: 1 },
    ];
  });
  const taken = fixed.map(({ bar }) => bar);
  const assigned = fn.bars
    .filter(({ bar }) => !taken.includes(bar))
    .map(({ bar, kind, start, sizeBytes }): SpaceResource => {
      const name = (isIde(fn) ? IDE_NAMES[bar] : undefined) ?? `bar${bar}`;
      return { kind, bar, name, start, sizeBytes };
    });
  return [...fixed, ...assigned].sort((one, other) => (one.bar ?? 0) - (other.bar ?? 0));
}

/** The interrupts of a function: its pin, or one IRQ of the AT for each channel of an IDE controller that is there. */
export function interruptsOf(fn: PciFunction, board: PciBoard): RoutedInterrupt[] {
  const fixed = compatibleChannels(fn).map((channel): RoutedInterrupt => {
    const { irq } = AT_CHANNELS[channel] as (typeof AT_CHANNELS)[number];
    const resource = { index: channel, name: `channel${channel}`, trigger: 'edge' as const, line: `IRQ ${irq}` };
    return { resource, line: irq };
  });
  if (fn.pin === 0 || fixed.length === 2) return fixed;
  const line = board.intxLine(fn.device, fn.pin);
  const name = isIde(fn) ? 'both-channels' : 'intx';
  return [{ resource: { index: 0, name, trigger: 'level', line: board.lineName(line) }, line }];
}
