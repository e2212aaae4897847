import { join } from 'node:path';
import type { Logger } from '@ring3/core';
import { ManualClock } from '@ring3/core/testing';
import { onTestFinished, vi } from 'vitest';
import type { ExportOptions } from '../exported-disk.ts';
import { type NbdExport, NbdServer, type NbdServerOptions } from '../nbd-server.ts';
import { RawClient } from './raw-client.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { TestDisk } from './test-disk.ts';

/** How to wait for what follows from something that was done, on a machine that may be busy with something else. */
export const SOON = { interval: 1, timeout: 20_000 } as const;
vi.setConfig({ testTimeout: 30_000 });

/** A server with one export `disk0` on a Unix socket, for one test. */
export interface Served {
  readonly server: NbdServer;
  readonly exported: NbdExport;
  readonly disk: TestDisk;
  readonly clock: ManualClock;
  readonly path: string;
  /** What the server logged at `warn` and `error`. */
  readonly complaints: string[];
  connect(): Promise<RawClient>;
}

export interface ServeOptions extends Omit<NbdServerOptions, 'log' | 'clock'>, ExportOptions {
  readonly disk?: TestDisk;
}

export async function serve({ disk = new TestDisk().fill(), ...options }: ServeOptions = {}): Promise<Served> {
  const complaints: string[] = [];
  const complain = (message: string): void => void complaints.push(message);
  const log: Logger = { debug() {}, info() {}, warn: complain, error: complain };
  const clock = new ManualClock();
  const path = join(temporaryFolder(), 'nbd.sock');
  const server = await NbdServer.listen({ unix: path }, { ...options, log, clock });
  const clients: RawClient[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.socket.destroy();
    const closed = server.close({ deadlineMs: 0 });
    await clock.advance(0);
    await closed;
  });
  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.connect({ path });
    clients.push(client);
    return client;
  };
  return { server, exported: server.export('disk0', disk, options), disk, clock, path, complaints, connect };
}

/** A server and a client that has finished the handshake. */
export async function serveClient(
  options: ServeOptions & { readonly structured?: boolean } = {},
): Promise<Served & { readonly client: RawClient }> {
  const { structured = false, ...serveOptions } = options;
  const served = await serve(serveOptions);
  const client = await served.connect();
  await client.enter({ structured });
  return { ...served, client };
}
