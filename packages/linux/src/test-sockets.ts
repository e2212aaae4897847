import { NativeLibrary } from './native.ts';

const AF_UNIX = 1;
/** `SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK`. */
const STREAM = 0o2004001;

/** Two connected sockets that no stream of Node knows of; the caller closes both. */
export function socketPair(): [number, number] {
  const library = new NativeLibrary('test-sockets', '', {
    socketpair: { returns: 'i32', takes: ['i32', 'i32', 'i32', 'bytes'], harmless: [-1, 0, 0, Buffer.alloc(8)] },
  });
  const pair = Buffer.alloc(8);
  library.tryCall('socketpair', [AF_UNIX, STREAM, 0, pair]);
  return [pair.readInt32LE(0), pair.readInt32LE(4)];
}
