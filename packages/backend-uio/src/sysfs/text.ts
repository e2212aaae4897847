import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { deviceErrorOf, errnoOf } from '@ring3/linux';

/** What a vanished file or an attribute of a device that is leaving says. */
const ABSENT = new Set(['ENOENT', 'ENODEV', 'ENOTDIR', 'ENXIO']);

/** Runs `read`; `undefined` where nothing is there. @throws DeviceError `permission` where it is there and closed. */
function ifThere<T>(path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? '')) return undefined;
    throw deviceErrorOf(error, `reading ${path}`);
  }
}

/** An attribute without its line end; `''` for an empty one, `undefined` where it is missing. */
export function readAttribute(path: string): string | undefined {
  return ifThere(path, () => readFileSync(path, 'latin1').replace(/\n$/, ''));
}

/** A binary attribute; `undefined` where it is missing. */
export function readBytes(path: string): Uint8Array | undefined {
  return ifThere(path, () => new Uint8Array(readFileSync(path)));
}

/** The names in a folder, sorted; none where the folder is missing. */
export function readFolder(path: string): string[] {
  return ifThere(path, () => readdirSync(path).sort()) ?? [];
}

/** The last part of what a link points to: the name of a driver, a group, a device. */
export function readLinkName(path: string): string | undefined {
  return ifThere(path, () => basename(readlinkSync(path)));
}

/** Where a folder of sysfs really is. */
export function realPath(path: string): string | undefined {
  return ifThere(path, () => realpathSync.native(path));
}

/**
 * A number as the kernel prints it: decimal, or hexadecimal with `0x`.
 * @throws RangeError that names the attribute, for anything else.
 */
export function parseNumber(text: string, what: string): bigint {
  const trimmed = text.trim();
  if (!/^(0x[0-9a-f]+|[0-9]+)$/i.test(trimmed)) throw new RangeError(`${what}: "${trimmed}" is not a number`);
  return BigInt(trimmed);
}

/** A number that fits a size or an identity. @throws RangeError as {@link parseNumber}. */
export function parseInteger(text: string, what: string): number {
  const value = Number(parseNumber(text, what));
  if (!Number.isSafeInteger(value)) throw new RangeError(`${what}: ${text.trim()} is too large`);
  return value;
}
