import { closeSync } from 'node:fs';
import process from 'node:process';
import { libc } from './libc.ts';
import { SystemCallError } from './system-call-error.ts';

const AF_UNIX = 1;
/** `SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK`: a supervisor that hangs does not hang its services. */
const DATAGRAM = 0o2004002;
const MSG_NOSIGNAL = 0x4000;
const EINVAL = 22;

/**
 * Tells systemd, or whoever set NOTIFY_SOCKET, a state of this service (sd_notify(3)): `READY=1`, `WATCHDOG=1`,
 * `STATUS=...`, `STOPPING=1`, several by line feeds.
 * @returns false where nobody wants to know: NOTIFY_SOCKET is not set.
 * @throws SystemCallError `socket` or `sendto`; EAGAIN when the receiver does not keep up.
 */
export function notifySystemd(state: string, environment: NodeJS.ProcessEnv = process.env): boolean {
  const socket = environment['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return false;
  const address = socketAddress(socket);
  const message = Buffer.from(state);
  const fd = Number(libc().tryCall('socket', [AF_UNIX, DATAGRAM, 0]));
  try {
    const length = BigInt(message.length);
    libc().tryCall('sendto', [fd, message, length, MSG_NOSIGNAL, address, address.length], socket);
  } finally {
    closeSync(fd);
  }
  return true;
}

/** `struct sockaddr_un`; "@" at the start stands for the abstract name space, which has a 0 there and none at the end. */
function socketAddress(socket: string): Buffer {
  const name = Buffer.from(socket);
  const abstract = name[0] === 0x40;
  if (abstract) name[0] = 0;
  if (!abstract && name[0] !== 0x2f) throw new SystemCallError('sendto', EINVAL, socket);
  const address = Buffer.alloc(2 + name.length + (abstract ? 0 : 1));
  address.writeUInt16LE(AF_UNIX);
  name.copy(address, 2);
  return address;
}
