import { fstatSync, ftruncateSync } from 'node:fs';
import { DeviceError, type RegisterAccess, type Width } from '@ring3/core';
import { libc, MFD_CLOEXEC, pageSizeBytes } from './libc.ts';
import { Mapping } from './mapping.ts';
import { SystemCallError } from './system-call-error.ts';

/** Whether this engine may access registers. */
export interface EngineCheck {
  /** `false`: reads were lost at the check; {@link mapRegisters} refuses. */
  readonly ok: boolean;
  /** Whether the tests of this package have counted the accesses of each tier of this engine. */
  readonly proven: boolean;
  /** For a person: what was found, and what to do. */
  readonly words: string;
}

/**
 * The engines in which exactness.test.ts has counted accesses; fixes leave the first three numbers of V8 as they are.
 * On x64 all tiers and the machine code; on arm64 the interpreter, Maglev and TurboFan, by hand under qemu-user.
 */
const PROVEN = [
  { v8: '12.4.254', node: 22 },
  { v8: '13.6.233', node: 24 },
  { v8: '14.6.202', node: 26 },
];
const PROVEN_ON = ['x64', 'arm64'];

const PAGES = 32;
const ROUNDS = 100;
const WIDTHS: readonly Width[] = [8, 16, 32];

let result: EngineCheck | undefined;

/**
 * Looks at the engine once, for some milliseconds: reads in pages of a file in memory that nothing has touched, throws
 * the values away, and counts the pages that the kernel had to provide. That sees what the first tiers do to a read;
 * what the last ones do is proven by tests, for the engines of a list. An engine that is not on it works, with a
 * warning; one that loses a read is refused.
 */
export function checkEngine(): EngineCheck {
  result ??= judge(process.versions.v8, process.arch, witness(discard));
  return result;
}

/** @throws DeviceError `unsupported` for an engine that loses reads. Warns once of one that is not proven. */
export function requireEngine(check = checkEngine): void {
  const first = result === undefined;
  const { ok, proven, words } = check();
  if (!ok) throw new DeviceError('unsupported', words);
  if (first && !proven) process.emitWarning(words, { code: 'RING3_UNPROVEN_ENGINE' });
}

/** What to say of an engine in whose check that many reads were lost; `undefined`: nobody could count. */
export function judge(v8: string, arch: string, lost: number | undefined): EngineCheck {
  const proven = PROVEN_ON.includes(arch) && PROVEN.some((engine) => v8.startsWith(`${engine.v8}.`));
  const known = PROVEN.map((engine) => `${engine.v8} of Node ${engine.node}`).join(', ');
  if (lost !== undefined && lost > 0) {
    const words = `V8 ${v8} on ${arch} lost ${lost} of ${PAGES * WIDTHS.length * 2} register reads: no device can be driven with it; run Node 22, 24 or 26 without flags for V8`;
    return { ok: false, proven, words };
  }
  const seen =
    lost === undefined ? 'this system has no files in memory to check it with' : 'no read was lost at the check';
  if (proven)
    return {
      ok: true,
      proven,
      words: `V8 ${v8} on ${arch} accesses registers exactly, as the tests have counted; ${seen}`,
    };
  const remedy = 'use one of those, or run the tests of @ring3/linux with this one';
  return {
    ok: true,
    proven,
    words: `V8 ${v8} on ${arch} is not proven to access registers exactly (${known} are, on ${PROVEN_ON.join(' and ')}); ${seen}; ${remedy}`,
  };
}

/** Reads once at each multiple of `stepBytes`, for all pages. */
type ReadPages = (access: RegisterAccess, width: Width, stepBytes: number) => void;

/** How many of the reads that `read` was asked for did not happen: cold, and after it has run for a while. */
export function witness(read: ReadPages): number | undefined {
  const lost = [...WIDTHS, ...WIDTHS].map((width) => lostOf(read, width));
  return lost.reduce((sum, count) => (sum === undefined || count === undefined ? undefined : sum + count), 0);
}

function lostOf(read: ReadPages, width: Width): number | undefined {
  const page = pageSizeBytes();
  const fd = Number(libc().call('memfd_create', 'ring3-engine', MFD_CLOEXEC));
  if (fd === -1) return undefined;
  let mapping: Mapping | undefined;
  try {
    ftruncateSync(fd, page * PAGES);
    mapping = new Mapping({ path: `/proc/self/fd/${fd}`, fileOffset: 0n, leadBytes: 0, sizeBytes: page * PAGES });
    read(mapping.access, width, page);
    const touched = (fstatSync(fd).blocks * 512) / page;
    for (let round = 0; round < ROUNDS; round++) read(mapping.access, width, page);
    return Math.max(0, PAGES - touched);
  } catch (error) {
    if (error instanceof SystemCallError) return undefined; // No /proc here, for instance.
    throw error;
  } finally {
    mapping?.close();
    libc().call('close', fd);
  }
}

function discard(access: RegisterAccess, width: Width, stepBytes: number): void {
  for (let page = 0; page < PAGES; page++) access.read(page * stepBytes, width);
}
