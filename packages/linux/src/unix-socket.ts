import { closeSync } from 'node:fs';
import { libc } from './libc.ts';
import { errnoOf, SystemCallError } from './system-call-error.ts';

const AF_UNIX = 1;
/** `SOCK_STREAM | SOCK_CLOEXEC`: blocking, unlike the sockets of Node. */
const STREAM = 0o2000001;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const MSG_DONTWAIT = 0x40;
/** The size of `sun_path`, with the 0 at its end. */
const PATH_BYTES = 108;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const EINVAL = 22;

/**
 * A stream socket that listens on a path, for a program that is started with it: who connects waits until the program
 * accepts. The caller closes it.
 * @throws SystemCallError `socket`, `bind` (EADDRINUSE: the path exists) or `listen`.
 */
export function listenUnix(path: string): number {
  const address = socketAddress('bind', path);
  return withSocket((fd) => {
    libc().tryCall('bind', [fd, address, address.length], path);
    libc().tryCall('listen', [fd, 1], path);
  });
}

/**
 * Connects a stream socket that blocks: for `fs.readSync` and `fs.writeSync`, where an answer comes in microseconds.
 * A signal, as SIGCHLD is, makes them say EINTR, or a write end early: call again.
 * @param timeoutMs after this time without a byte, reads and writes say EAGAIN; so does connecting while the queue of those
 *   who were not accepted yet is full.
 * @throws SystemCallError `connect`: ENOENT or ECONNREFUSED when nobody listens, EAGAIN.
 */
export function connectUnix(path: string, timeoutMs: number): number {
  const address = socketAddress('connect', path);
  return withSocket((fd) => {
    setSocketTimeout(fd, timeoutMs); // Before: without it connect(2) waits for ever where nobody accepts.
    libc().tryCall('connect', [fd, address, address.length], path);
  });
}

/** How long reads and writes of a blocking socket wait before they say EAGAIN. */
export function setSocketTimeout(fd: number, timeoutMs: number): void {
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(BigInt(Math.trunc(timeoutMs / 1000)), 0);
  time.writeBigInt64LE(BigInt(Math.round((timeoutMs % 1000) * 1000)), 8);
  for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) {
    libc().tryCall('setsockopt', [fd, SOL_SOCKET, option, time, time.length]);
  }
}

/**
 * Reads what waits in a socket without blocking, also where the socket blocks otherwise.
 * @returns how many bytes it was, 0 at the end of the stream; `undefined` when nothing waits.
 * @throws SystemCallError `recv`, such as ECONNRESET.
 */
export function receiveWaiting(fd: number, into: Uint8Array): number | undefined {
  try {
    return Number(libc().tryCall('recv', [fd, into, BigInt(into.length), MSG_DONTWAIT]));
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return undefined;
    throw error;
  }
}

/**
 * A descriptor that is readable when `fd` is (epoll(7)). {@link watchReadable} makes what it watches non-blocking: given this
 * one it leaves `fd` as it is. The caller closes it.
 */
export function createReadinessOf(fd: number): number {
  const set = Number(libc().tryCall('epoll_create1', [EPOLL_CLOEXEC]));
  const event = Buffer.alloc(16); // `struct epoll_event`, packed to 12 bytes on x86.
  event.writeUInt32LE(EPOLLIN);
  try {
    libc().tryCall('epoll_ctl', [set, EPOLL_CTL_ADD, fd, event]);
  } catch (error) {
    closeSync(set);
    throw error;
  }
  return set;
}

function withSocket(prepare: (fd: number) => void): number {
  const fd = Number(libc().tryCall('socket', [AF_UNIX, STREAM, 0]));
  try {
    prepare(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/** `struct sockaddr_un` of a path in the file system. */
function socketAddress(call: string, path: string): Buffer {
  const name = Buffer.from(path);
  if (name.length >= PATH_BYTES) throw new SystemCallError(call, EINVAL, `${path} (over ${PATH_BYTES - 1} bytes)`);
  const address = Buffer.alloc(2 + name.length + 1);
  address.writeUInt16LE(AF_UNIX);
  name.copy(address, 2);
  return address;
}
