import { chmodSync, existsSync, lstatSync, type Stats, unlinkSync } from 'node:fs';
import { createConnection, type Server } from 'node:net';
import { dirname, resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { DeviceError } from '@ring3/core';
import { errorCode, listening } from './listening.ts';

/** A Unix socket, for clients on this machine that may open its file. */
export interface UnixAddress {
  /** The path of the socket; a dead one that is there already is replaced. */
  readonly unix: string;
  /** Who may connect, as the mode of the file: 0o600 unless given. */
  readonly mode?: number;
}

/** Linux, unix(7): sun_path has 108 bytes, the last one is NUL; 104 elsewhere. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/**
 * Listens on a Unix socket and returns its absolute path. The file goes away when `server` is closed.
 * @throws DeviceError `busy` when somebody listens there or something else has this name, `permission`, `not-found`
 * (no such directory), `config` (the path is too long).
 */
export async function listenUnix(server: Server, address: UnixAddress): Promise<string> {
  const path = resolve(address.unix);
  const lengthBytes = Buffer.byteLength(path);
  if (lengthBytes > MAX_PATH_BYTES) {
    throw new DeviceError(
      'config',
      `${path} has ${lengthBytes} bytes: a Unix socket's path has at most ${MAX_PATH_BYTES}`,
    );
  }
  if (!existsSync(dirname(path))) {
    throw new DeviceError('not-found', `${dirname(path)} does not exist: make the directory first`);
  }
  await removeDeadSocket(path);
  const mode = address.mode ?? 0o600;
  await listening(server, path, () => {
    // The socket is bound inside listen(), so it never exists with a wider mode. Worker threads cannot do that.
    const umask = isMainThread ? process.umask(~mode & 0o777) : undefined;
    try {
      server.listen(path);
    } finally {
      if (umask !== undefined) process.umask(umask);
    }
    if (server.listening) chmodSync(path, mode);
  });
  return path;
}

async function removeDeadSocket(path: string): Promise<void> {
  const found = statOf(path);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new DeviceError('busy', `${path} is there already and not a socket: remove it, or choose another path`);
  }
  await probe(path);
  // Nobody else's new socket is removed: it would have another inode.
  if (statOf(path)?.ino === found.ino) unlinkSync(path);
}

/** Resolves when nobody listens. */
function probe(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      reject(new DeviceError('busy', `another server is listening on ${path}: stop it, or choose another path`));
    });
    socket.once('error', (cause) => {
      const code = errorCode(cause);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') return resolve();
      if (code === 'EACCES') {
        return reject(new DeviceError('permission', `${path} belongs to someone else: choose another path`, { cause }));
      }
      reject(
        new DeviceError('busy', `${path} is in use (${code}): stop the server there, or choose another path`, {
          cause,
        }),
      );
    });
  });
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    throw new DeviceError('permission', `${dirname(path)} cannot be looked into: ${errorCode(cause)}`, { cause });
  }
}
