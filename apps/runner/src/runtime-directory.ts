import { mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DeviceError } from '@ring3/core';

/**
 * The folder for the sockets of a rig, for its owner alone: `$XDG_RUNTIME_DIR/ring3/NAME`, `/run/ring3/NAME` for root,
 * otherwise below the folder for temporary files.
 * @throws DeviceError `permission` when somebody else owns it.
 */
export function provideRuntimeDirectory(name: string, configured: string | undefined): string {
  const directory = configured ?? join(defaultParent(), name);
  try {
    // Only the last folder is for the owner alone: the claims of the machine are beside it, for everybody to see.
    mkdirSync(dirname(directory), { recursive: true, mode: 0o755 });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new DeviceError(
      'permission',
      `cannot make the runtime directory ${directory}: ${(cause as Error).message}; set runtimeDirectory in the configuration`,
      { cause },
    );
  }
  const owner = statSync(directory).uid;
  const self = process.getuid?.();
  if (configured === undefined && self !== undefined && owner !== self) {
    throw new DeviceError(
      'permission',
      `${directory} belongs to user ${owner}, this is user ${self}: set runtimeDirectory in the configuration`,
    );
  }
  return directory;
}

function defaultParent(): string {
  const { XDG_RUNTIME_DIR } = process.env;
  if (XDG_RUNTIME_DIR !== undefined && XDG_RUNTIME_DIR !== '') return join(XDG_RUNTIME_DIR, 'ring3');
  const self = process.getuid?.() ?? 0;
  return process.platform === 'linux' && self === 0 ? '/run/ring3' : join(tmpdir(), `ring3-${self}`);
}
