import { isAbsolute, join } from 'node:path';
import { SERIAL_PORT, type SerialPort, SystemClock, sleep } from '@ring3/core';
import { defineExporter, type Exporter, type ExporterEnvironment, type RunningExport } from '@ring3/rig';
import { z } from 'zod';
import type { SerialExport } from './serial/serial-export.ts';
import { SocketExport } from './serial/socket-export.ts';
import { TerminalExport } from './serial/terminal-export.ts';

const OPTIONS = z
  .strictObject({
    socket: z
      .string()
      .min(1)
      .optional()
      .describe('path of a Unix socket; relative paths lie in the runtime directory; default: serial.sock'),
    pty: z
      .string()
      .min(1)
      .optional()
      .describe('path of a symbolic link to a pseudo terminal, instead of a socket; relative as above'),
  })
  .refine((options) => options.socket === undefined || options.pty === undefined, {
    path: ['pty'],
    message: 'give a socket or a pty, not both',
  });

/** The other end of a line may never take anything again: a stop waits no longer. */
const FINISH_US = 2_000_000;

type SerialOptions = z.output<typeof OPTIONS>;

/** Serves serial ports to programs: as a stream on a socket, or as a terminal. */
class SerialExporter implements Exporter<SerialOptions> {
  readonly #environment: ExporterEnvironment;
  readonly #exports = new Set<SerialExport>();

  constructor(environment: ExporterEnvironment) {
    this.#environment = environment;
  }

  async start(service: unknown, _serviceName: string, options: SerialOptions): Promise<RunningExport> {
    const port = service as SerialPort;
    const { log } = this.#environment;
    const exported =
      options.pty === undefined
        ? await SocketExport.listen(this.#path(options.socket ?? 'serial.sock'), port, log)
        : await TerminalExport.open(this.#path(options.pty), port, log);
    this.#exports.add(exported);
    return {
      uri: exported.uri,
      withdraw: async () => {
        this.#exports.delete(exported);
        await exported.close();
      },
      get statistics() {
        return { ...exported.counts };
      },
    };
  }

  async drain(timeoutUs: number, waiting: (what: string) => void): Promise<void> {
    waiting('serial ports to send what clients gave them');
    const finished = Promise.all([...this.#exports].map((exported) => exported.finish()));
    await Promise.race([finished, sleep(new SystemClock(), Math.min(timeoutUs, FINISH_US))]);
    await this.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#exports].map((exported) => exported.close()));
    this.#exports.clear();
  }

  #path(path: string): string {
    return isAbsolute(path) ? path : join(this.#environment.runtimeDirectory, path);
  }
}

/** `type: serial` of the configuration. */
export default defineExporter<SerialOptions>({
  type: 'serial',
  serviceClass: SERIAL_PORT,
  options: OPTIONS,
  create: (environment) => new SerialExporter(environment),
});
