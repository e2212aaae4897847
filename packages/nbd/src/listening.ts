import type { Server } from 'node:net';
import { DeviceError } from '@ring3/core';

/** The `code` that Node gives its errors. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/**
 * Calls `start`, which makes `server` listen at `where`, and resolves when it does.
 * @throws DeviceError `busy`, `permission` or `config`, in words.
 */
export async function listening(server: Server, where: string, start: () => void): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', () => {
        server.off('error', reject);
        resolve();
      });
      start();
    });
  } catch (cause) {
    server.close();
    throw translate(where, cause);
  }
}

function translate(where: string, cause: unknown): DeviceError {
  const code = errorCode(cause);
  switch (code) {
    case 'EADDRINUSE':
      return new DeviceError('busy', `${where} is in use by another program: stop it, or choose another address`, {
        cause,
      });
    case 'EACCES':
    case 'EPERM':
      return new DeviceError('permission', `this process may not listen on ${where}`, { cause });
    default:
      return new DeviceError('config', `cannot listen on ${where}: ${code}`, { cause });
  }
}
