import { parsePciAddress } from '@ring3/core';
import { z } from 'zod';
import { BOARDS } from './boards/index.ts';
import { deviceId } from './machine/machine-spec.ts';

/** Which device of a machine is meant: the name of one of the board or of the configuration, or a place on the PCI bus. */
export type QemuSelect = string | { readonly pci: string };

/** A drive as the configuration has it. */
export interface DriveConfig {
  readonly id: string;
  readonly file: string;
  readonly format: 'raw' | 'qcow2';
  readonly readOnly: boolean;
  readonly faults: readonly {
    readonly event: string;
    readonly sector?: number | undefined;
    readonly errno?: number | undefined;
    readonly once?: boolean | undefined;
  }[];
}

/** A `-device` of QEMU as the configuration has it. */
export interface DeviceConfig {
  readonly driver: string;
  readonly id?: string | undefined;
  readonly [property: string]: string | number | boolean | undefined;
}

/** What the configuration says beside `type: qemu`. */
export interface QemuSelector {
  readonly machine: string;
  readonly devices: readonly DeviceConfig[];
  readonly drives: readonly DriveConfig[];
  readonly terminals?: readonly { readonly id: string; readonly path: string }[] | undefined;
  /** Default: the first of `devices` that is a PCI function. */
  readonly select?: QemuSelect | undefined;
}

/** `edu`, or `edu,addr=4` as on QEMU's command line. */
function parseDevice(text: string): DeviceConfig {
  const [driver = '', ...properties] = text.split(',');
  const entries = properties.map((property): [string, string | number | boolean] => {
    const [, name = '', value] = /^([^=]*)(?:=(.*))?$/.exec(property) ?? [];
    return [name, value === undefined || value === 'on' ? true : value === 'off' ? false : value];
  });
  return { driver, ...Object.fromEntries(entries) };
}

/** Names of QEMU objects: a letter first. */
const ID = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9._-]*$/, 'an id begins with a letter and has letters, digits, ".", "_" and "-"');

const DEVICE = z.union([
  z
    .string()
    .regex(/^[A-Za-z0-9][^,\s]*(,[^,\s]+)*$/, 'write DRIVER or DRIVER,property=value')
    .transform(parseDevice),
  z.object({ driver: z.string().min(1), id: ID.optional() }).catchall(z.union([z.string(), z.number(), z.boolean()])),
]);

const FAULT = z.strictObject({
  event: z.string().min(1).describe('event of blkdebug: read_aio, write_aio, flush_to_disk'),
  sector: z.int().min(0).optional().describe('512-byte sector that a request must touch; default any'),
  errno: z.int().min(1).max(133).optional().describe('error number of Linux; default 5 (EIO)'),
  once: z.boolean().optional().describe('only the first time; default false'),
});

const DRIVE = z.strictObject({
  id: ID.describe('what devices name it by: drive: ID'),
  file: z.string().min(1).describe('the image, relative to the configuration'),
  format: z.enum(['raw', 'qcow2']).default('raw'),
  readOnly: z.boolean().default(false),
  faults: z.array(FAULT).default([]).describe('errors that the drive shall have'),
});

const TERMINAL = z.strictObject({
  id: ID.describe('what serial devices name it by: chardev: ID'),
  path: z.string().min(1).describe('a terminal: /dev/pts/3, /dev/ttyUSB0'),
});

const SELECT = z.union([
  z.string().min(1),
  z.strictObject({
    pci: z.string().superRefine((text, context) => {
      try {
        const { domain, bus } = parsePciAddress(text);
        if (domain !== 0 || bus !== 0) context.addIssue('only bus 0000:00 is looked at');
      } catch (error) {
        context.addIssue(error instanceof Error ? error.message : String(error));
      }
    }),
  }),
]);

/** The part of the configuration after `type: qemu`. */
export const QEMU_SELECTOR: z.ZodType<QemuSelector> = z
  .strictObject({
    machine: z.enum([...BOARDS.keys()]).describe(`the board: ${[...BOARDS.keys()].join(', ')}`),
    devices: z.array(DEVICE).default([]).describe('devices that are plugged in, as QEMU has them: { driver: edu }'),
    drives: z.array(DRIVE).default([]).describe('disk images for devices'),
    terminals: z.array(TERMINAL).optional().describe('other ends of the lines of serial devices'),
    select: SELECT.optional().describe('which device: a name of the board, an id of devices, or { pci: ADDRESS }'),
  })
  .superRefine((selector, context) => {
    for (const { path, message } of problemsOf(selector)) context.addIssue({ code: 'custom', path, message });
  });

interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}

/** What each part cannot know of the others. */
function problemsOf({ machine, devices, drives, terminals = [], select }: QemuSelector): Problem[] {
  const problems: Problem[] = [];
  const ids = devices.map((device, index) => deviceId({ ...device } as never, index));
  const driveIds = drives.map(({ id }) => id);
  for (const [index, id] of ids.entries()) {
    if (ids.indexOf(id) !== index) problems.push({ path: ['devices', index], message: `the id "${id}" is taken` });
  }
  for (const [index, id] of driveIds.entries()) {
    if (driveIds.indexOf(id) !== index) problems.push({ path: ['drives', index, 'id'], message: `"${id}" is taken` });
  }
  for (const [index, { drive }] of devices.entries()) {
    if (drive === undefined || driveIds.includes(String(drive))) continue;
    const there = driveIds.length === 0 ? 'there are no drives' : `there are ${driveIds.join(', ')}`;
    problems.push({ path: ['devices', index, 'drive'], message: `no drive "${drive}": ${there}` });
  }
  for (const [index, { chardev }] of devices.entries()) {
    if (chardev === undefined || terminals.some(({ id }) => id === chardev)) continue;
    problems.push({ path: ['devices', index, 'chardev'], message: `there is no terminal "${chardev}" in terminals` });
  }
  const board = BOARDS.get(machine);
  if (board === undefined) return problems;
  const names = [...Object.keys(board.functions), ...Object.keys(board.devices), ...ids];
  if (typeof select === 'string' && !names.includes(select)) {
    const there = names.length === 0 ? 'it has none' : `there are ${names.join(', ')}`;
    problems.push({ path: ['select'], message: `the machine has no device "${select}": ${there}` });
  }
  if (select === undefined && devices.length === 0) {
    const known = names.length === 0 ? '' : ` (${names.join(', ')})`;
    problems.push({ path: ['select'], message: `say which device is meant${known}, or plug one in by devices` });
  }
  return problems;
}
