import { lstat, stat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { DeviceError } from '@ring3/core';

/** The longest path of a Unix socket: sun_path of unix(7) is 108 bytes with the zero at the end. */
const MAX_PATH_BYTES = 107;

/**
 * Listens on a Unix socket. A socket file that a dead process left is removed; one that answers is not touched.
 * @throws DeviceError `busy` when someone serves there or the path is no socket, `permission`, `not-found`, `config`.
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new DeviceError('config', `${path}: the path of a Unix socket has at most ${MAX_PATH_BYTES} bytes`);
  }
  const failure = await tryToListen(server, path);
  if (failure === undefined) return;
  if (failure.code === 'EACCES') throw await refused(failure, path);
  if (failure.code !== 'EADDRINUSE') throw inWords(failure, path);
  await removeIfDead(path);
  const again = await tryToListen(server, path);
  if (again !== undefined) throw inWords(again, path);
}

function tryToListen(server: Server, path: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error);
    server.once('error', failed);
    server.listen(path, () => {
      server.off('error', failed);
      resolve(undefined);
    });
  });
}

/** libuv turns the ENOENT of bind() into EACCES: a missing folder must not look like a missing permission. */
async function refused(failure: NodeJS.ErrnoException, path: string): Promise<DeviceError> {
  const folder = await stat(dirname(path)).catch((error: NodeJS.ErrnoException) => error);
  return inWords('code' in folder && folder.code === 'ENOENT' ? folder : failure, path);
}

async function removeIfDead(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new DeviceError('busy', `${path} is there already and not a socket: remove it`);
  if (await answers(path)) throw new DeviceError('busy', `another process serves on ${path}: stop it first`);
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw inWords(error, path);
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else if (error.code === 'EAGAIN')
        resolve(true); // A full queue of connections: busy, not dead.
      else reject(inWords(error, path));
    });
  });
}

/** A system error on a socket path as a DeviceError. */
export function inWords(error: NodeJS.ErrnoException, path: string): DeviceError {
  const options = { cause: error };
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
      return new DeviceError('permission', `${path}: this process may not use it (${error.code})`, options);
    case 'ENOENT':
      return new DeviceError('not-found', `${path}: there is no such socket or folder`, options);
    case 'ECONNREFUSED':
      return new DeviceError('gone', `${path}: nobody serves there any more`, options);
    case 'EADDRINUSE':
      return new DeviceError('busy', `another process serves on ${path}: stop it first`, options);
    default:
      return new DeviceError('fault', `${path}: ${error.message}`, options);
  }
}
