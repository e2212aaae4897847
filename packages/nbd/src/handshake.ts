import { DeviceError } from '@ring3/core';
import type { ExportedDisk } from './exported-disk.ts';
import {
  decodeExportQuery,
  decodeOptionHeader,
  encodeExportNameReply,
  encodeGreeting,
  encodeInfoReplies,
  encodeOptionError,
  encodeOptionReply,
  encodeServerReply,
  OPTION_HEADER_BYTES,
} from './handshake-messages.ts';
import { HANDSHAKE_FLAG, MAX_PAYLOAD_BYTES, MAX_STRING_BYTES, OPTION, OPTION_REPLY } from './protocol.ts';
import type { ReplyWriter } from './reply-writer.ts';
import type { SocketReader } from './socket-reader.ts';

/** More data than the longest name and a hundred information requests need is thrown away unread. */
const MAX_KEPT_BYTES = MAX_STRING_BYTES + 256;

/** The exports that a client may choose from. */
export interface ExportDirectory {
  /** In the order in which they were made. */
  list(): readonly ExportedDisk[];
  /** By name; the empty name is the first export. */
  find(name: string): ExportedDisk | undefined;
  /** Whether the server is on its way down. */
  readonly closing: boolean;
}

/** What a handshake ended in. */
export interface Agreement {
  readonly disk: ExportedDisk;
  readonly structuredReplies: boolean;
}

/** What one option led to: the next one, the transmission phase, or the end. */
type Outcome = Agreement | 'haggling' | 'aborted';

/** The handshake phase (proto.md, "Fixed newstyle negotiation"), one option at a time as the protocol demands. */
export class Handshake {
  readonly #reader: SocketReader;
  readonly #writer: ReplyWriter;
  readonly #exports: ExportDirectory;
  #noZeroes = false;
  #structuredReplies = false;

  constructor(reader: SocketReader, writer: ReplyWriter, exports: ExportDirectory) {
    this.#reader = reader;
    this.#writer = writer;
    this.#exports = exports;
  }

  /**
   * Resolves with what was agreed on, or undefined when the client has taken its leave.
   * @throws DeviceError `protocol` or `not-found` when the protocol leaves nothing but to disconnect.
   */
  async run(): Promise<Agreement | undefined> {
    await this.#writer.sendAll([encodeGreeting()]);
    this.#acceptFlags((await this.#reader.read(4)).readUInt32BE());
    let outcome: Outcome = 'haggling';
    while (outcome === 'haggling') {
      const header = decodeOptionHeader(await this.#reader.read(OPTION_HEADER_BYTES));
      if (header === undefined)
        throw new DeviceError('protocol', 'what should be an option has the wrong magic number');
      outcome = await this.#answer(header.option, await this.#readData(header.lengthBytes));
    }
    return outcome === 'aborted' ? undefined : outcome;
  }

  /** Section "Client flags": an unknown flag ends the connection. */
  #acceptFlags(flags: number): void {
    const known = HANDSHAKE_FLAG.fixedNewstyle | HANDSHAKE_FLAG.noZeroes;
    if ((flags & ~known) !== 0) throw new DeviceError('protocol', `unknown client flags 0x${flags.toString(16)}`);
    this.#noZeroes = (flags & HANDSHAKE_FLAG.noZeroes) !== 0;
  }

  /** The data of an option; undefined when it was too much to keep. */
  async #readData(lengthBytes: number): Promise<Buffer | undefined> {
    if (lengthBytes <= MAX_KEPT_BYTES) return this.#reader.read(lengthBytes);
    if (lengthBytes > MAX_PAYLOAD_BYTES)
      throw new DeviceError('protocol', `an option with ${lengthBytes} bytes of data`);
    await new Promise<void>((resolve) => {
      this.#reader.skip(lengthBytes, resolve);
    });
    return undefined;
  }

  async #answer(option: number, data: Buffer | undefined): Promise<Outcome> {
    if (option === OPTION.exportName) return this.#chooseByName(data);
    if (option === OPTION.abort) {
      await this.#writer.sendAll([encodeOptionReply(option, OPTION_REPLY.ack)]);
      return 'aborted';
    }
    if (this.#exports.closing) return this.#refuse(option, OPTION_REPLY.errorShutdown, 'the server is shutting down');
    switch (option) {
      case OPTION.list:
        return this.#list(data);
      case OPTION.info:
      case OPTION.go:
        return this.#inform(option, data);
      case OPTION.structuredReply:
        return this.#agreeToStructuredReplies(data);
      default:
        return this.#refuse(option, OPTION_REPLY.errorUnsupported, `option ${option} is not known here`);
    }
  }

  /** NBD_OPT_EXPORT_NAME has no way to say no but to disconnect. */
  async #chooseByName(data: Buffer | undefined): Promise<Agreement> {
    const name = data?.toString('utf8');
    const disk = name === undefined || this.#exports.closing ? undefined : this.#exports.find(name);
    if (disk === undefined) throw new DeviceError('not-found', `there is no export ${quote(name ?? '')}`);
    const flags = disk.transmissionFlags(this.#structuredReplies);
    await this.#writer.sendAll([encodeExportNameReply(disk.facts, flags, this.#noZeroes)]);
    return { disk, structuredReplies: this.#structuredReplies };
  }

  async #list(data: Buffer | undefined): Promise<Outcome> {
    if (data?.length !== 0) return this.#refuse(OPTION.list, OPTION_REPLY.errorInvalid, 'LIST takes no data');
    const lines = this.#exports.list().map(({ facts }) => encodeServerReply(OPTION.list, facts));
    await this.#writer.sendAll([...lines, encodeOptionReply(OPTION.list, OPTION_REPLY.ack)]);
    return 'haggling';
  }

  async #agreeToStructuredReplies(data: Buffer | undefined): Promise<Outcome> {
    const option = OPTION.structuredReply;
    if (data?.length !== 0) return this.#refuse(option, OPTION_REPLY.errorInvalid, 'STRUCTURED_REPLY takes no data');
    this.#structuredReplies = true;
    await this.#writer.sendAll([encodeOptionReply(option, OPTION_REPLY.ack)]);
    return 'haggling';
  }

  async #inform(option: number, data: Buffer | undefined): Promise<Outcome> {
    if (data === undefined) return this.#refuse(option, OPTION_REPLY.errorTooBig, 'a name has at most 4096 bytes');
    const query = decodeExportQuery(data);
    if (query === undefined) return this.#refuse(option, OPTION_REPLY.errorInvalid, 'the lengths do not add up');
    const disk = this.#exports.find(query.name);
    if (disk === undefined) {
      return this.#refuse(option, OPTION_REPLY.errorUnknown, `there is no export ${quote(query.name)}`);
    }
    const flags = disk.transmissionFlags(this.#structuredReplies);
    const replies = encodeInfoReplies(option, disk.facts, flags, query);
    await this.#writer.sendAll([...replies, encodeOptionReply(option, OPTION_REPLY.ack)]);
    return option === OPTION.go ? { disk, structuredReplies: this.#structuredReplies } : 'haggling';
  }

  async #refuse(option: number, type: number, message: string): Promise<Outcome> {
    await this.#writer.sendAll([encodeOptionError(option, type, message)]);
    return 'haggling';
  }
}

/** A name that a client made up, fit for a log. */
function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}
