import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { NbdServer } from '../nbd-server.ts';
import { runWell } from './run-tool.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { TestDisk } from './test-disk.ts';

/** A server on the machine's own clock, for clients that are programs. */
export async function serveTools(disk = new TestDisk({ blockCount: 131_072, maxTransferBlocks: 256 })) {
  const folder = temporaryFolder();
  const server = await NbdServer.listen({ unix: join(folder, 'nbd.sock') });
  onTestFinished(() => server.close({ deadlineMs: 0 }));
  const exported = server.export('disk0', disk);
  const file = (name: string): string => join(folder, name);
  return { server, exported, uri: exported.uri, disk, file };
}

/** Runs commands of qemu-io, which must all succeed. */
export function qemuIo(uri: string, ...commands: readonly string[]): Promise<string> {
  return runWell('qemu-io', '-f', 'raw', ...commands.flatMap((command) => ['-c', command]), uri);
}
