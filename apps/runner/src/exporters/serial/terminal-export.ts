import { lstatSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { DeviceError, type Logger, type SerialPort } from '@ring3/core';
import { Conversation, type SerialCounts } from './conversation.ts';
import type { SerialExport } from './serial-export.ts';
import { TerminalEnd } from './terminal-end.ts';

const TERMINALS = '/dev/pts/';

/**
 * Serves a port as a pseudo terminal, at a symbolic link, for programs that open a serial device. The speed and the
 * format of the line are those of the driver: what `stty` says on the terminal changes nothing on the line, and modem
 * lines and breaks do not pass.
 */
export class TerminalExport implements SerialExport {
  readonly uri: string;
  readonly counts: SerialCounts = { clients: 0, connected: 0, toClients: 0, fromClients: 0, lost: 0 };
  readonly #link: string;
  readonly #target: string;
  readonly #conversation: Conversation;

  /** @throws DeviceError `busy` when something else is at the path, `unsupported` where there are no pseudo terminals. */
  static async open(link: string, port: SerialPort, log: Logger): Promise<TerminalExport> {
    if (process.platform !== 'linux') {
      throw new DeviceError('unsupported', `${link}: pseudo terminals are served on Linux only: use a socket`);
    }
    removeOldLink(link);
    const { openPseudoTerminal, watchReadable } = await import('@ring3/linux');
    const terminal = openPseudoTerminal();
    try {
      symlinkSync(terminal.path, link);
    } catch (cause) {
      terminal.close();
      throw new DeviceError('config', `${link}: the link to ${terminal.path} cannot be made: ${String(cause)}`, {
        cause,
      });
    }
    return new TerminalExport(link, terminal.path, new TerminalEnd(terminal, watchReadable), port, log);
  }

  private constructor(link: string, target: string, end: TerminalEnd, port: SerialPort, log: Logger) {
    this.uri = `pty:${link}`;
    this.#link = link;
    this.#target = target;
    this.#conversation = new Conversation(port, end, this.counts, log);
  }

  finish(): Promise<void> {
    return this.#conversation.finish();
  }

  async close(): Promise<void> {
    await this.#conversation.end();
    if (targetOf(this.#link) === this.#target) unlinkSync(this.#link);
  }
}

/** A link to a terminal is what a process left that was killed; anything else is not touched. */
function removeOldLink(link: string): void {
  const target = targetOf(link);
  if (target?.startsWith(TERMINALS) === true) unlinkSync(link);
  else if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) {
    throw new DeviceError(
      'busy',
      `${link} is there already and no link to a terminal: remove it, or choose another path`,
    );
  }
}

function targetOf(link: string): string | undefined {
  const found = lstatSync(link, { throwIfNoEntry: false });
  return found?.isSymbolicLink() === true ? readlinkSync(link) : undefined;
}
