import { closeSync, constants, openSync } from 'node:fs';
import { libc, TERMIOS_BYTES } from './libc.ts';
import { SystemCallError } from './system-call-error.ts';

const PATH_BYTES = 64;

/** A serial line in software: what one end writes the other reads, as it is. */
export interface PseudoTerminal {
  /** This end: non-blocking; for watchReadable and fs, or as `new tty.ReadStream(master)`, which then owns it. */
  readonly master: number;
  /** The other end, for programs that expect a serial port: `/dev/pts/3`. */
  readonly path: string;
  /** Closes both ends. Not needed for `master` where a stream has taken it. */
  close(options?: { master: boolean }): void;
}

/**
 * Opens a pseudo terminal in raw mode: no echo, no lines, no signals, 8 bits (cfmakeraw(3)). This process keeps the other
 * end open too, so that programs may come and go there without a hangup here. What nobody reads there stays: the kernel
 * holds about 4 KiB, then writes say EAGAIN.
 * @throws SystemCallError, or an error of node:fs for /dev/ptmx.
 */
export function openPseudoTerminal(): PseudoTerminal {
  const flags = constants.O_RDWR | constants.O_NOCTTY;
  const master = openSync('/dev/ptmx', flags | constants.O_NONBLOCK);
  try {
    libc().tryCall('unlockpt', [master]);
    const path = otherEnd(master);
    const other = openSync(path, flags);
    try {
      makeRaw(other);
    } catch (error) {
      closeSync(other);
      throw error;
    }
    return { master, path, close: once(master, other) };
  } catch (error) {
    closeSync(master);
    throw error;
  }
}

function otherEnd(master: number): string {
  const name = Buffer.alloc(PATH_BYTES);
  // Like all of pthreads it returns the errno.
  const errno = Number(libc().call('ptsname_r', master, name, BigInt(name.length)));
  if (errno !== 0) throw new SystemCallError('ptsname_r', errno);
  return name.toString('utf8', 0, name.indexOf(0));
}

function makeRaw(fd: number): void {
  const termios = Buffer.alloc(TERMIOS_BYTES);
  libc().tryCall('tcgetattr', [fd, termios]);
  libc().call('cfmakeraw', termios);
  libc().tryCall('tcsetattr', [fd, 0, termios]);
}

function once(master: number, other: number): PseudoTerminal['close'] {
  let open = true;
  return (options = { master: true }) => {
    if (!open) return;
    open = false;
    closeSync(other);
    if (options.master) closeSync(master);
  };
}
