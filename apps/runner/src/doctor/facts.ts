import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { endianness, release, userInfo } from 'node:os';
import process from 'node:process';
import { checkEngine, type EngineCheck, errnoOf, openPorts, pageSizeBytes } from '@ring3/linux';

/** What is known of this process and cannot be read from the kernel's files; a test gives its own. */
export interface Facts {
  /** `24.21.0`. */
  readonly nodeVersion: string;
  /** `process.platform`. */
  readonly platform: string;
  /** `process.arch`. */
  readonly arch: string;
  readonly endianness: 'LE' | 'BE';
  /** Version of glibc; `undefined` on another C library. */
  readonly glibc: string | undefined;
  /** `uname -r`. */
  readonly kernel: string;
  /** `/lib/modules/<uname -r>`. */
  readonly modulesFolder: string;
  readonly user: string;
  /** Why native code cannot be called; `undefined` when it can. */
  readonly nativeError: string | undefined;
  /** What V8 does to register accesses; `undefined` where that could not be tried. */
  readonly engine: EngineCheck | undefined;
  /** Why nothing can be mapped, although native code can be called; `undefined` when it can. */
  readonly mappingError: string | undefined;
  /** Why this process cannot have I/O ports; `undefined` when it can. */
  readonly portError: string | undefined;
  /** Whether this process may read and write a file: the name of the errno, `undefined` when it may. Opens nothing. */
  readonly access: (path: string) => string | undefined;
  /** The same, by opening it. */
  readonly open: (path: string) => string | undefined;
}

/** The port of power-on self tests, which nobody reads; it is not accessed. */
const UNUSED_PORT = 0x80;

/** The facts of this process. */
export function gatherFacts(): Facts {
  const kernel = release();
  const nativeError = messageOf(() => pageSizeBytes());
  let engine: EngineCheck | undefined;
  const mappingError = nativeError === undefined ? messageOf(() => (engine = checkEngine())) : undefined;
  return {
    nodeVersion: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    endianness: endianness(),
    glibc: glibcVersion(),
    kernel,
    modulesFolder: `/lib/modules/${kernel}`,
    user: userName(),
    nativeError,
    engine,
    mappingError,
    portError: nativeError ?? messageOf(() => openPorts(UNUSED_PORT, 1)),
    access: (path) => errnoFrom(() => accessSync(path, constants.R_OK | constants.W_OK)),
    open: (path) => errnoFrom(() => closeSync(openSync(path, constants.O_RDWR))),
  };
}

/** In a container the user may have a number only. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}

function glibcVersion(): string | undefined {
  // Its part about the network asks name servers.
  (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime;
}

function messageOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function errnoFrom(attempt: () => void): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return errnoOf(error) ?? 'EIO';
  }
}
