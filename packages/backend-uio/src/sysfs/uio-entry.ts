import { basename, join } from 'node:path';
import { parseInteger, parseNumber, readAttribute, readFolder, realPath } from './text.ts';

/** One map of a UIO device. `size` is rounded up to pages by most kernel drivers: it is not the size of the device. */
export interface UioMap {
  /** M of `mapM`: the mapping starts at M times the page size in the file. */
  readonly index: number;
  /** `''` where the kernel driver gives none. */
  readonly name: string;
  readonly address: bigint;
  readonly sizeBytes: number;
  /** Bytes between the start of the mapping and the first register. */
  readonly offset: number;
}

/** One region of I/O ports of a UIO device. */
export interface UioPorts {
  readonly index: number;
  readonly name: string;
  readonly start: bigint;
  readonly sizeBytes: number;
  /** `port_x86`, `port_gpio`, `port_other` or `port_none`. */
  readonly type: string;
}

/** One entry of `/sys/class/uio`. Source: Linux, Documentation/driver-api/uio-howto.rst. */
export interface UioEntry {
  /** `uio0`: good until the device is unbound. */
  readonly node: string;
  /** Its folder in sysfs. */
  readonly folder: string;
  /** The real folder of the device behind it. */
  readonly deviceFolder: string;
  readonly name: string;
  readonly version: string;
  readonly maps: readonly UioMap[];
  readonly ports: readonly UioPorts[];
}

/** All entries, by number. One that leaves while it is read is left out. */
export function readUioEntries(sys: string): UioEntry[] {
  const classFolder = join(sys, 'class/uio');
  return readFolder(classFolder)
    .filter((node) => /^uio\d+$/.test(node))
    .sort((a, b) => Number(a.slice(3)) - Number(b.slice(3)))
    .map((node) => readUioEntry(join(classFolder, node)))
    .filter((entry) => entry !== undefined);
}

/** One entry by its folder; `undefined` where it is not, or no longer, there. */
function readUioEntry(folder: string): UioEntry | undefined {
  const real = realPath(folder);
  const name = readAttribute(join(folder, 'name'));
  if (real === undefined || name === undefined) return undefined;
  return {
    node: basename(folder),
    folder,
    deviceFolder: realPath(join(folder, 'device')) ?? real,
    name,
    version: readAttribute(join(folder, 'version')) ?? '',
    maps: numbered(folder, 'maps', 'map').map(({ index, path }) => readMap(index, path)),
    ports: numbered(folder, 'portio', 'port').map(({ index, path }) => readPorts(index, path)),
  };
}

/** The events that a UIO device has counted; the file prints without sign what a read of the node gives with one. */
export function readEventCount(entry: UioEntry): number | undefined {
  const text = readAttribute(join(entry.folder, 'event'));
  return text === undefined ? undefined : parseInteger(text, `${entry.node}/event`);
}

function numbered(folder: string, group: string, prefix: string): { readonly index: number; readonly path: string }[] {
  return readFolder(join(folder, group))
    .filter((name) => new RegExp(`^${prefix}\\d+$`).test(name))
    .map((name) => ({ index: Number(name.slice(prefix.length)), path: join(folder, group, name) }))
    .sort((a, b) => a.index - b.index);
}

function readMap(index: number, path: string): UioMap {
  const value = (name: string) => readAttribute(join(path, name)) ?? '0x0';
  return {
    index,
    name: readAttribute(join(path, 'name')) ?? '',
    address: parseNumber(value('addr'), `${path}/addr`),
    sizeBytes: parseInteger(value('size'), `${path}/size`),
    offset: parseInteger(value('offset'), `${path}/offset`),
  };
}

function readPorts(index: number, path: string): UioPorts {
  const value = (name: string) => readAttribute(join(path, name)) ?? '0x0';
  return {
    index,
    name: readAttribute(join(path, 'name')) ?? '',
    start: parseNumber(value('start'), `${path}/start`),
    sizeBytes: parseInteger(value('size'), `${path}/size`),
    type: readAttribute(join(path, 'porttype')) ?? 'port_none',
  };
}
