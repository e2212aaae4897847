import { isAbsolute, join } from 'node:path';
import { BLOCK_DEVICE, type BlockDevice } from '@ring3/core';
import { type NbdAddress, NbdServer } from '@ring3/nbd';
import { defineExporter, type Exporter, type ExporterEnvironment, type RunningExport } from '@ring3/rig';
import { z } from 'zod';

const OPTIONS = z
  .strictObject({
    name: z.string().min(1).optional().describe('the name that clients ask for; default: device-service'),
    socket: z
      .string()
      .min(1)
      .optional()
      .describe('path of a Unix socket; relative paths lie in the runtime directory; default: nbd.sock'),
    port: z
      .int()
      .min(0)
      .max(65535)
      .optional()
      .describe('TCP port on the loopback interface instead of a socket; 0: any'),
    host: z.enum(['127.0.0.1', '::1']).default('127.0.0.1').describe('loopback address for `port`'),
    readOnly: z.boolean().default(false).describe('refuse writes'),
  })
  .refine((options) => options.socket === undefined || options.port === undefined, {
    path: ['port'],
    message: 'give a socket or a port, not both',
  });

type NbdOptions = z.output<typeof OPTIONS>;

/** Serves disks to NBD clients; entries with the same address share a server. */
class NbdExporter implements Exporter<NbdOptions> {
  readonly #environment: ExporterEnvironment;
  readonly #servers = new Map<string, Promise<NbdServer>>();

  constructor(environment: ExporterEnvironment) {
    this.#environment = environment;
  }

  async start(service: unknown, serviceName: string, options: NbdOptions): Promise<RunningExport> {
    const disk = service as BlockDevice;
    const server = await this.#server(this.#address(options));
    const name = options.name ?? serviceName.replaceAll('/', '-');
    const { readOnly } = options;
    const exported = server.export(name, disk, { readOnly });
    return {
      uri: exported.uri,
      withdraw: (reason) => exported.withdraw(reason),
      get statistics() {
        return { ...exported.statistics };
      },
    };
  }

  async drain(timeoutUs: number, waiting: (what: string) => void): Promise<void> {
    waiting('NBD requests to be answered');
    await this.#closeAll(timeoutUs, waiting);
  }

  async close(): Promise<void> {
    await this.#closeAll(0, () => {});
  }

  #address({ socket, port, host }: NbdOptions): NbdAddress {
    if (port !== undefined) return { host, port };
    const path = socket ?? 'nbd.sock';
    return { unix: isAbsolute(path) ? path : join(this.#environment.runtimeDirectory, path) };
  }

  #server(address: NbdAddress): Promise<NbdServer> {
    const key = JSON.stringify(address);
    let server = this.#servers.get(key);
    if (server === undefined) {
      server = NbdServer.listen(address, { log: this.#environment.log });
      this.#servers.set(key, server);
    }
    return server;
  }

  async #closeAll(timeoutUs: number, waiting: (what: string) => void): Promise<void> {
    const servers = await Promise.allSettled(this.#servers.values());
    await Promise.all(
      servers.map((server) =>
        server.status === 'fulfilled' ? server.value.close({ deadlineMs: timeoutUs / 1000, waiting }) : undefined,
      ),
    );
  }
}

/** `type: nbd` of the configuration. */
export default defineExporter<NbdOptions>({
  type: 'nbd',
  serviceClass: BLOCK_DEVICE,
  options: OPTIONS,
  create: (environment) => new NbdExporter(environment),
});
