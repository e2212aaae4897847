import { NativeLibrary } from './native.ts';

const AF_UNIX = 1;
/** `SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK`. */
const DATAGRAM = 0o2004002;
/** `SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK`. */
const STREAM = 0o2004001;

function open() {
  const none = Buffer.alloc(8);
  return new NativeLibrary('test-sockets', '', {
    bind: { returns: 'i32', takes: ['i32', 'bytes', 'i32'], harmless: [-1, none, 0] },
    socket: { returns: 'i32', takes: ['i32', 'i32', 'i32'], harmless: [-1, 0, 0] },
    socketpair: { returns: 'i32', takes: ['i32', 'i32', 'i32', 'bytes'], harmless: [-1, 0, 0, none] },
  });
}

/** A datagram socket that is bound to the bytes of a `sun_path`; the caller reads it by node:fs and closes it. */
export function datagramReceiver(path: Buffer): number {
  const library = open();
  const fd = Number(library.tryCall('socket', [AF_UNIX, DATAGRAM, 0]));
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), path]);
  library.tryCall('bind', [fd, address, address.length]);
  return fd;
}

/** Two connected sockets that no stream of Node knows of; the caller closes both. */
export function socketPair(): [number, number] {
  const library = open();
  const pair = Buffer.alloc(8);
  library.tryCall('socketpair', [AF_UNIX, STREAM, 0, pair]);
  return [pair.readInt32LE(0), pair.readInt32LE(4)];
}
