import { parsePciAddress } from '@ring3/core';
import { UsageError } from '../usage-error.ts';
import { parseNumber, parseSmallNumber } from './numbers.ts';

/** What a person typed for a register. */
export type TargetText =
  | { readonly kind: 'address'; readonly space: 'memory' | 'port'; readonly address: bigint }
  | { readonly kind: 'pci'; readonly pci: string; readonly bar: number; readonly offset: number }
  | {
      readonly kind: 'device';
      readonly device: string;
      /** A register, a space, or a space and a register; empty: the device itself. */
      readonly path: readonly string[];
      readonly offset: number | undefined;
    };

/** The forms, for messages. */
export const TARGET_FORMS =
  '0x43c00000, port:0x3f8, pci:0000:00:04.0/bar0+0x10, or with --config DEVICE.REGISTER, DEVICE.SPACE+0x10';

/** Reads what was typed. @throws UsageError that shows the forms. */
export function parseTarget(text: string): TargetText {
  if (/^[0-9]/.test(text) && !/^[0-9a-f]{1,8}:/i.test(text) && !text.includes('.')) {
    return { kind: 'address', space: 'memory', address: parseNumber(text, 'the address') };
  }
  const [, scheme, rest = ''] = /^(port|pci):(.*)$/.exec(text) ?? [];
  if (scheme === 'port') return { kind: 'address', space: 'port', address: parseNumber(rest, 'the port') };
  if (scheme === 'pci') return parsePciTarget(rest);
  if (isPciAddress(text.split('/')[0] ?? '')) throw new UsageError(`write pci:${text}`);
  return parseDeviceTarget(text);
}

function parsePciTarget(rest: string): TargetText {
  const [, pci = '', bar = '', offset = '0'] = /^([^/]+)\/bar(\d+)(?:\+(.+))?$/i.exec(rest) ?? [];
  if (pci === '') throw new UsageError(`pci:${rest}: name the base address register, like pci:0000:00:04.0/bar0+0x10`);
  checkPciAddress(pci);
  return { kind: 'pci', pci, bar: Number(bar), offset: parseSmallNumber(offset, 'the offset') };
}

function parseDeviceTarget(text: string): TargetText {
  const [, device, path = '', offset] = /^([a-z0-9][a-z0-9-]*)((?:\.[\w-]+)*)(?:\+(.+))?$/.exec(text) ?? [];
  if (device === undefined) throw new UsageError(`"${text}" is no target; there are ${TARGET_FORMS}`);
  return {
    kind: 'device',
    device,
    path: path.split('.').slice(1),
    offset: offset === undefined ? undefined : parseSmallNumber(offset, 'the offset'),
  };
}

/** @throws UsageError that shows the form. */
export function checkPciAddress(text: string): void {
  try {
    parsePciAddress(text);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

function isPciAddress(text: string): boolean {
  try {
    parsePciAddress(text);
    return true;
  } catch {
    return false;
  }
}
