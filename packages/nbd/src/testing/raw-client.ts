import { createConnection, type NetConnectOpts, type Socket } from 'node:net';

// The numbers are those of doc/proto.md, written again: the tests do not believe the constants of the server.
const OPTION_MAGIC = 0x49484156454f5054n;
const OPTION_REPLY_MAGIC = 0x3e889045565a9n;

/** A request as a test writes it; the cookie is a plain number. */
export interface RawRequest {
  readonly type: number;
  readonly cookie?: number;
  readonly offset?: number | bigint;
  readonly length?: number;
  readonly flags?: number;
  readonly payload?: Uint8Array;
}

/** What NBD_OPT_GO and NBD_OPT_INFO answered. */
export interface RawExport {
  readonly sizeBytes: number;
  readonly flags: number;
  readonly infos: ReadonlyMap<number, Buffer>;
}

/** A chunk of a structured reply. */
export interface RawChunk {
  readonly flags: number;
  readonly type: number;
  readonly cookie: number;
  readonly payload: Buffer;
}

/** An NBD client that does just what it is told, right or wrong. */
export class RawClient {
  readonly socket: Socket;
  /** Resolves when the server has ended or cut the connection, whatever came before it. */
  readonly ended: Promise<void>;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #isEnded = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data: Buffer) => {
      this.#received.push(data);
      this.#receivedBytes += data.length;
      this.#wake();
    });
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#isEnded = true;
        this.#wake();
        resolve();
      };
      socket.once('end', end);
      socket.once('close', end);
    });
  }

  static async connect(where: NetConnectOpts): Promise<RawClient> {
    const socket = createConnection({ ...where, allowHalfOpen: true });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** Bytes that came and were not read yet. */
  get pendingBytes(): number {
    return this.#receivedBytes;
  }

  send(...parts: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The next bytes. @throws Error when the connection ends before. */
  async read(lengthBytes: number): Promise<Buffer> {
    while (this.#receivedBytes < lengthBytes) {
      if (this.#isEnded) throw new Error(`the connection ended after ${this.#receivedBytes} of ${lengthBytes} bytes`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const [first = Buffer.alloc(0)] = this.#received;
    const all = this.#received.length === 1 ? first : Buffer.concat(this.#received);
    this.#received = [all.subarray(lengthBytes)];
    this.#receivedBytes -= lengthBytes;
    return all.subarray(0, lengthBytes);
  }

  /** Disconnects at once, as a process that dies does. */
  async vanish(): Promise<void> {
    this.socket.destroy();
    await this.ended;
  }

  /** Reads the greeting, returns its handshake flags, and answers it with client flags. */
  async greet(clientFlags = 3): Promise<number> {
    const greeting = await this.read(18);
    if (greeting.toString('latin1', 0, 16) !== 'NBDMAGICIHAVEOPT')
      throw new Error(`greeting ${greeting.toString('hex')}`);
    this.send(u32(clientFlags));
    return greeting.readUInt16BE(16);
  }

  sendOption(option: number, data: Uint8Array = new Uint8Array()): void {
    this.send(u64(OPTION_MAGIC), u32(option), u32(data.length), data);
  }

  async optionReply(): Promise<{ option: number; type: number; data: Buffer }> {
    const header = await this.read(20);
    if (header.readBigUInt64BE(0) !== OPTION_REPLY_MAGIC) throw new Error(`no option reply: ${header.toString('hex')}`);
    const data = await this.read(header.readUInt32BE(16));
    return { option: header.readUInt32BE(8), type: header.readUInt32BE(12), data };
  }

  /** The type of the single reply to an option. */
  async option(option: number, data?: Uint8Array): Promise<number> {
    this.sendOption(option, data);
    return (await this.optionReply()).type;
  }

  /** NBD_OPT_GO (7) or NBD_OPT_INFO (6). @throws Error with the type of an error reply. */
  async go(name = '', infos: readonly number[] = [], option = 7): Promise<RawExport> {
    this.sendOption(option, exportQuery(name, infos));
    const received = new Map<number, Buffer>();
    for (let reply = await this.optionReply(); reply.type !== 1; reply = await this.optionReply()) {
      if (reply.type !== 3)
        throw new Error(`option reply 0x${reply.type.toString(16)}: ${reply.data.toString('utf8')}`);
      received.set(reply.data.readUInt16BE(0), reply.data.subarray(2));
    }
    const facts = received.get(0);
    if (facts === undefined) throw new Error('no NBD_INFO_EXPORT');
    return { sizeBytes: Number(facts.readBigUInt64BE(0)), flags: facts.readUInt16BE(8), infos: received };
  }

  /** The whole handshake. */
  async enter({ name = '', structured = false }: { name?: string; structured?: boolean } = {}): Promise<RawExport> {
    await this.greet();
    if (structured && (await this.option(8)) !== 1) throw new Error('no structured replies');
    return this.go(name);
  }

  request(...requests: readonly RawRequest[]): void {
    this.send(...requests.map(encodeRequest));
  }

  /** A simple reply, with as many bytes of data as the test expects. */
  async simpleReply(dataBytes = 0): Promise<{ error: number; cookie: number; data: Buffer }> {
    const header = await this.replyHeader();
    return { ...header, data: await this.read(header.error === 0 ? dataBytes : 0) };
  }

  /** A simple reply without its data. */
  async replyHeader(): Promise<{ error: number; cookie: number }> {
    const header = await this.read(16);
    if (header.readUInt32BE(0) !== 0x67446698) throw new Error(`no simple reply: ${header.toString('hex')}`);
    return { error: header.readUInt32BE(4), cookie: Number(header.readBigUInt64BE(8)) };
  }

  async chunk(): Promise<RawChunk> {
    const header = await this.read(20);
    if (header.readUInt32BE(0) !== 0x668e33ef) throw new Error(`no structured reply: ${header.toString('hex')}`);
    return {
      flags: header.readUInt16BE(4),
      type: header.readUInt16BE(6),
      cookie: Number(header.readBigUInt64BE(8)),
      payload: await this.read(header.readUInt32BE(16)),
    };
  }

  /** The chunks of one reply, to the one with the flag DONE; nothing else may be in flight. */
  async chunks(): Promise<RawChunk[]> {
    const chunks = [await this.chunk()];
    for (let last = chunks.at(-1); last !== undefined && (last.flags & 1) === 0; last = chunks.at(-1)) {
      chunks.push(await this.chunk());
    }
    return chunks;
  }
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export function exportQuery(name: string, infos: readonly number[] = []): Buffer {
  return Buffer.concat([u32(Buffer.byteLength(name)), Buffer.from(name), u16(infos.length), ...infos.map(u16)]);
}

export function encodeRequest({ type, cookie = 0, offset = 0, length, flags = 0, payload }: RawRequest): Buffer {
  const lengthBytes = length ?? payload?.length ?? 0;
  const header = [u32(0x25609513), u16(flags), u16(type), u64(cookie), u64(offset), u32(lengthBytes)];
  return Buffer.concat(payload === undefined ? header : [...header, payload]);
}
