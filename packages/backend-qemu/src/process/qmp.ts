import { connect, type Socket } from 'node:net';
import type { Interface } from 'node:readline';
import { DeviceError } from '@ring3/core';

/** A QEMU that says nothing as long was stopped. */
const SILENCE_MS = 30_000;

/** What QEMU answers to a command. */
interface QmpAnswer {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

/**
 * QEMU's control channel (QMP), one command at a time. QEMU serves one connection at a time: it is opened for a few
 * commands and closed. Source: QEMU, docs/interop/qmp-spec.txt.
 */
export class Qmp {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#reader = process.getBuiltinModule('node:readline').createInterface({ input: socket });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** @throws DeviceError `gone` when QEMU ends or has ended. */
  static async connect(path: string): Promise<Qmp> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(new DeviceError('gone', `QMP: ${error.message}`, { cause: error })));
    });
    socket.on('error', () => {}); // The end of the lines says it.
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    const qmp = new Qmp(socket);
    await qmp.#line(); // The greeting.
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  /**
   * Runs a command: `execute('qom-list', { path: '/machine' })`.
   * @throws DeviceError `fault` with QEMU's words, `gone`.
   */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    for (;;) {
      const message = JSON.parse(await this.#line()) as QmpAnswer & { readonly event?: string };
      if (message.event !== undefined) continue;
      if (message.error === undefined) return message.return;
      throw new DeviceError('fault', `QMP ${command}: ${message.error.desc}`, {
        details: { class: message.error.class },
      });
    }
  }

  close(): void {
    this.#reader.close();
    this.#socket.destroy();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new DeviceError('gone', 'QMP: QEMU has ended, or does not answer');
    return value as string;
  }
}
