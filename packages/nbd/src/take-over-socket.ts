import { Socket, type SocketConstructorOpts } from 'node:net';

/** How a socket is read: `buffer` says where the next bytes go, `callback` that they are there. */
export type OnRead = NonNullable<SocketConstructorOpts['onread']>;

/** What Node keeps behind a socket. */
interface Handle {
  readonly useUserBuffer?: unknown;
}

/**
 * A socket on the connection of `accepted`, which reads into our own buffers: a third of the processor time of 'data'
 * events, which allocate 64 KiB for each read. Node documents `onread` for outgoing connections only and has no way to
 * ask for it in a server, so this reaches for `_handle`, which every Node since 12 has. Where it is not as expected the
 * answer is undefined, and 'data' events have to do.
 *
 * The server goes on counting `accepted`, so that is ended with the new one.
 */
export function takeOverSocket(accepted: Socket, onread: OnRead): Socket | undefined {
  const holder = accepted as unknown as { _handle?: Handle | null };
  const handle = holder._handle;
  if (typeof handle?.useUserBuffer !== 'function') return undefined;
  holder._handle = null;
  const options = { handle, onread, allowHalfOpen: true, readable: true, writable: true };
  const socket = new Socket(options as SocketConstructorOpts);
  socket.once('close', () => accepted.destroy());
  return socket;
}
