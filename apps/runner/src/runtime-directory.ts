import { mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DeviceError } from '@ring3/core';
import { strangerAround } from '@ring3/linux/stranger-around';

const CLAIMS = 'claims';

/**
 * The folder for the sockets of a rig, for its owner alone: `$XDG_RUNTIME_DIR/ring3/NAME`, `/run/ring3/NAME` for root,
 * otherwise below the folder for temporary files.
 * @throws DeviceError `permission` when somebody else owns it, or the folder in which it is; `config` for the name `claims`.
 */
export function provideRuntimeDirectory(name: string, configured: string | undefined): string {
  if (configured === undefined && name === CLAIMS) {
    throw new DeviceError(
      'config',
      `a rig cannot be called ${name}: the claims of the machine are kept in the folder of that name; set name or runtimeDirectory in the configuration`,
    );
  }
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
  const self = process.getuid?.();
  const stranger = strangerAround(directory, self);
  const owner = stranger ?? statSync(directory).uid;
  if (configured === undefined && self !== undefined && owner !== self) {
    throw new DeviceError(
      'permission',
      `${stranger === undefined ? directory : dirname(directory)} belongs to user ${owner}, this is user ${self}: set runtimeDirectory in the configuration`,
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
