import { firstValueFrom, type Observable } from 'rxjs';
import { filter } from 'rxjs/operators';
import type { SerialPort, SerialStatus } from '../serial-port.ts';
import { sameBytes } from './broken-law.ts';

/** Bytes that do not repeat within 64 KiB: what is lost, doubled or swapped shows. */
export function serialPattern(count: number, tag = 1): Uint8Array {
  const bytes = new Uint8Array(count);
  let state = Math.imul(tag, 0x9e3779b1) >>> 0;
  for (let at = 0; at < count; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** The next `count` bytes of a port, however they come. */
export async function readExactly(port: SerialPort, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; ) at += await port.read(bytes.subarray(at));
  return bytes;
}

/** @throws Error that names the first byte that differs. */
export function expectSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (sameBytes(actual, expected)) return;
  const at = expected.findIndex((byte, index) => actual[index] !== byte);
  const context = (bytes: Uint8Array) => [...bytes.subarray(Math.max(0, at - 4), at + 8)].join(' ');
  throw new Error(
    `${what}: byte ${at} of ${expected.length} differs: ${context(actual)} instead of ${context(expected)}`,
  );
}

/** The status as it is now. */
export function statusNow(port: SerialPort): Promise<SerialStatus> {
  return firstValueFrom(port.status$);
}

/** The first status that fits, the present one included. */
export function statusWhere(
  status$: Observable<SerialStatus>,
  fits: (status: SerialStatus) => boolean,
): Promise<SerialStatus> {
  return firstValueFrom(status$.pipe(filter(fits)));
}
