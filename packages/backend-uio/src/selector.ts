import { parsePciAddress } from '@ring3/core';
import { z } from 'zod';
import { DMA_SETTINGS, type DmaSettings } from './dma-memory.ts';
import { parseVersionRange } from './version-range.ts';

/** Which device is meant; never by the number of its node, which depends on the order of probing. */
export type UioSelect =
  | { readonly pci: string }
  | { readonly name: string; readonly version?: string | undefined }
  | { readonly vendor: number; readonly device: number }
  | { readonly compatible: string };

/** What the kernel cannot know of a range of registers. */
export interface SpaceHints {
  readonly widths?: readonly (8 | 16 | 32)[] | undefined;
  readonly byteOrder?: 'little' | 'big' | undefined;
  readonly flush?: { readonly offset: number; readonly width: 8 | 16 | 32 } | undefined;
}

/** What the configuration says beside `type: uio`. */
export interface UioSelector {
  readonly select: UioSelect;
  /** What kind of line it is, where sysfs does not tell; `none`: nobody waits for it. */
  readonly trigger?: 'level' | 'edge' | 'message' | 'none' | undefined;
  /** The kernel driver counts events on while its line is masked, so a jump of the count means missed events. */
  readonly countsWhileMasked?: boolean | undefined;
  /** PCI: base address registers to map write-combining, for memory without side effects. */
  readonly writeCombining?: readonly number[] | undefined;
  /** How I/O ports are reached. Default `auto`: by instructions, else through the file in sysfs. */
  readonly ports?: 'auto' | 'ioperm' | 'file' | undefined;
  /** PCI: let the device start transfers to memory. Default: as it was. */
  readonly busMaster?: boolean | undefined;
  /** PCI: memory for the transfers of the device, which becomes a bus master when its driver asks for some. Default: none. */
  readonly dma?: DmaSettings | undefined;
  /** By `barN` or by the name of a map. */
  readonly spaces?: Readonly<Record<string, SpaceHints>> | undefined;
}

const WIDTH = z.union([z.literal(8), z.literal(16), z.literal(32)]);

const HINTS = z.strictObject({
  widths: z.array(WIDTH).min(1).optional().describe('the access widths that the device takes; default all'),
  byteOrder: z.enum(['little', 'big']).optional(),
  flush: z
    .strictObject({ offset: z.int().min(0), width: WIDTH })
    .optional()
    .describe('a register that may be read at any time'),
});

const ID = z.int().min(0).max(0xffff);

const SELECT = z
  .strictObject({
    pci: z.string().optional().describe('PCI address, like 0000:00:04.0'),
    name: z.string().optional().describe('name that the kernel driver gives, as in /sys/class/uio/*/name'),
    version: z.string().optional().describe('range of versions of the kernel driver, like ">=1.2 <2"'),
    vendor: ID.optional().describe('PCI vendor id'),
    device: ID.optional().describe('PCI device id'),
    compatible: z.string().optional().describe('compatible string of the device tree'),
  })
  .transform((value, context): UioSelect => {
    const problem = checkSelect(value);
    if (typeof problem !== 'string') return problem;
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  });

/** The part of the configuration after `type: uio`. */
export const UIO_SELECTOR: z.ZodType<UioSelector> = z.strictObject({
  select: SELECT.describe('the device: pci, name, vendor and device, or compatible'),
  trigger: z.enum(['level', 'edge', 'message', 'none']).optional().describe('kind of the interrupt; default: detected'),
  countsWhileMasked: z.boolean().optional().describe('the kernel driver counts events while its line is masked'),
  writeCombining: z.array(z.int().min(0).max(5)).optional().describe('BARs to map write-combining'),
  ports: z.enum(['auto', 'ioperm', 'file']).optional().describe('how I/O ports are reached; default auto'),
  busMaster: z.boolean().optional().describe('let the device transfer to memory by itself; default: as it was'),
  dma: DMA_SETTINGS.optional().describe('memory for transfers that the device makes by itself; default none'),
  spaces: z.record(z.string(), HINTS).optional().describe('what the kernel cannot know, by barN or name of a map'),
});

interface RawSelect {
  readonly pci?: string | undefined;
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly vendor?: number | undefined;
  readonly device?: number | undefined;
  readonly compatible?: string | undefined;
}

/** The selection, or words that say what is wrong with it. */
function checkSelect({ pci, name, version, vendor, device, compatible }: RawSelect): UioSelect | string {
  const ways = [pci, name, vendor ?? device, compatible].filter((way) => way !== undefined);
  if (ways.length !== 1) return 'name the device in one way: pci, name, vendor and device, or compatible';
  if (version !== undefined && name === undefined) return 'version goes with name: it is that of the kernel driver';
  try {
    if (pci !== undefined) parsePciAddress(pci);
    if (version !== undefined) parseVersionRange(version);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (pci !== undefined) return { pci };
  if (name !== undefined) return checkName(name, version);
  if (compatible !== undefined) return { compatible };
  if (vendor === undefined || device === undefined) return 'vendor and device belong together';
  return { vendor, device };
}

function checkName(name: string, version: string | undefined): UioSelect | string {
  if (name === '') return 'the name is empty';
  if (/^uio\d+$/.test(name)) {
    return `${name} is the number of a node, which changes with the order of probing: give the name of the device`;
  }
  return version === undefined ? { name } : { name, version };
}
