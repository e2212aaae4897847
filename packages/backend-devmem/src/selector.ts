import type { Width } from '@ring3/core';
import { z } from 'zod';

/** A physical address: a number, or a string of hexadecimal digits behind `0x` where a number is not exact. */
export type PhysicalAddress = number | string;

/** What holds for the registers of a space. */
export interface RegisterRules {
  /** The access widths that the device takes. Default: those of the device, else all. */
  readonly widths?: readonly Width[] | undefined;
  /** Default: that of the device, else little. */
  readonly byteOrder?: 'little' | 'big' | undefined;
}

/** What every space of the configuration has. */
interface SpaceSelector extends RegisterRules {
  /** By which the driver asks for it. */
  readonly name: string;
  /** A register that may be read at any time: a flush of posted writes reads it. */
  readonly flush?: { readonly offset: number; readonly width: Width } | undefined;
}

/** Registers in physical memory, by address. */
export interface AddressSelector extends SpaceSelector {
  readonly address: PhysicalAddress;
  /** In bytes. */
  readonly size: number;
}

/** Registers in physical memory, by the name of their range in `/proc/iomem`. */
export interface ResourceSelector extends SpaceSelector {
  readonly resource: string;
}

/** Registers in physical memory. */
export type MemorySelector = AddressSelector | ResourceSelector;

/** Registers in x86 I/O ports. */
export interface PortSelector extends SpaceSelector {
  readonly start: number;
  /** How many ports. */
  readonly size: number;
  /** `dev-port`: through `/dev/port`, 8 bits wide only, where ioperm is not to be had. Default `ioperm`. */
  readonly through?: 'ioperm' | 'dev-port' | undefined;
}

/** A register that says whether the device wants something; read over and over in place of an interrupt. */
export interface PolledInterruptSelector {
  /** The name of the space. */
  readonly space: string;
  readonly offset: number;
  readonly width: Width;
  /** The bits that count. Default: all. */
  readonly mask?: number | undefined;
  /** The device wants something while the masked value is this one. Default: while it is not zero. */
  readonly equals?: number | undefined;
  /** Default 1000. */
  readonly intervalUs?: number | undefined;
}

/** Memory for transfers that the device makes by itself. */
export interface DmaSelector {
  /** Physical addresses, which nothing checks: for the lab. */
  readonly memory: 'huge-pages';
  /** A multiple of 2. */
  readonly sizeMiB: number;
}

/** What the configuration says of a device behind `/dev/mem` or I/O ports. */
export interface DevmemSelector extends RegisterRules {
  /** For messages and for drivers that match by name. Default: the name of the first space, matching nothing. */
  readonly name?: string | undefined;
  /** For drivers that match by `compatible`, the most specific first. */
  readonly compatible?: string | readonly string[] | undefined;
  readonly memory?: readonly MemorySelector[] | undefined;
  readonly ports?: readonly PortSelector[] | undefined;
  readonly polledInterrupt?: PolledInterruptSelector | undefined;
  /** Default: none. */
  readonly dma?: DmaSelector | undefined;
  /** Opens ranges that a driver of the kernel holds, where the kernel lets it: two masters on one device. */
  readonly ignoreKernelClaims?: boolean | undefined;
}

const name = z.string().min(1).describe('by which the driver asks for the space');
const width = z.union([z.literal(8), z.literal(16), z.literal(32)]);
const widths = z.array(width).min(1).optional().describe('access widths that the device takes; default all');
const byteOrder = z.enum(['little', 'big']).optional().describe('of the registers; default little');
const offset = z.int().min(0).describe('bytes from the start of the space');
const flush = z.strictObject({ offset, width }).optional().describe('a register that may be read at any time');
const address = z
  .union([
    z.int().min(0),
    z.string().regex(/^0x[0-9a-fA-F]{1,16}$/, 'an address is a number, or a string like 0x43c00000'),
  ])
  .describe('physical address');

const MEMORY: z.ZodType<MemorySelector> = z.union([
  z.strictObject({ name, address, size: z.int().min(1).describe('bytes'), widths, byteOrder, flush }),
  z.strictObject({
    name,
    resource: z.string().min(1).describe('name of a range in /proc/iomem'),
    widths,
    byteOrder,
    flush,
  }),
]);

const PORT: z.ZodType<PortSelector> = z.strictObject({
  name,
  start: z.int().min(0).describe('the first port'),
  size: z.int().min(1).describe('how many ports'),
  through: z.enum(['ioperm', 'dev-port']).optional().describe('dev-port: /dev/port, 8 bits only; default ioperm'),
  widths,
  byteOrder,
  flush,
});

const POLLED: z.ZodType<PolledInterruptSelector> = z.strictObject({
  space: z.string().describe('name of the space with the register'),
  offset,
  width,
  mask: z.int().min(0).optional().describe('bits that count; default all'),
  equals: z.int().min(0).optional().describe('masked value that means an interrupt; default: any but zero'),
  intervalUs: z.int().min(1000).optional().describe('pause between two reads; default 1000'),
});

const DMA: z.ZodType<DmaSelector> = z.strictObject({
  memory: z.literal('huge-pages').describe('huge pages of 2 MiB at physical addresses, for lab use'),
  sizeMiB: z.int().min(2).max(2048).multipleOf(2).describe('how much, a multiple of 2'),
});

/** The schema of a {@link DevmemSelector}. */
export const SELECTOR: z.ZodType<DevmemSelector> = z.strictObject({
  name: z.string().min(1).optional().describe('for drivers that match by name'),
  compatible: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe('for drivers that match by compatible'),
  memory: z.array(MEMORY).optional().describe('registers in physical memory'),
  ports: z.array(PORT).optional().describe('registers in x86 I/O ports'),
  widths,
  byteOrder,
  polledInterrupt: POLLED.optional().describe('a register that is read over and over in place of an interrupt'),
  dma: DMA.optional().describe('memory for transfers that the device makes by itself; default none'),
  ignoreKernelClaims: z.boolean().optional().describe('open what a driver of the kernel holds'),
});
