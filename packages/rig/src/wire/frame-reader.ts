import { DeviceError } from '@ring3/core';

/**
 * The frames of the service protocol: a head of two 32-bit little-endian lengths, JSON, raw payload.
 * docs/service-protocol.md describes them.
 */

/** Bytes of the head of every frame: length of the JSON, length of the payload. */
const FRAME_HEAD_BYTES = 8;
/** The longest JSON of a frame. */
const MAX_JSON_BYTES = 256 * 1024;
/** The longest payload of a frame. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

/** Who takes the frames that a {@link FrameReader} finds; what it throws ends the reading. */
export interface FrameSink<Message> {
  /** Checks what the JSON says. @throws DeviceError `protocol` when it is not a message. */
  parse(json: unknown): Message;
  /** Where the payload goes: exactly `bytes` long; `undefined` skips it. */
  place(message: Message, bytes: number): Uint8Array | undefined;
  /** A whole frame; `payload` is what {@link place} gave, filled. */
  frame(message: Message, payload: Uint8Array | undefined): void;
}

/** The head and the JSON of a frame as one buffer; the payload is sent behind it as it is. */
export function encodeFrameStart(message: object, payloadBytes: number): Buffer {
  const json = JSON.stringify(message);
  const jsonBytes = Buffer.byteLength(json);
  if (jsonBytes > MAX_JSON_BYTES || payloadBytes > MAX_PAYLOAD_BYTES) {
    throw new RangeError(
      `a frame of ${jsonBytes} + ${payloadBytes} bytes: at most ${MAX_JSON_BYTES} + ${MAX_PAYLOAD_BYTES} can be sent`,
    );
  }
  const start = Buffer.allocUnsafe(FRAME_HEAD_BYTES + jsonBytes);
  start.writeUInt32LE(jsonBytes, 0);
  start.writeUInt32LE(payloadBytes, 4);
  start.write(json, FRAME_HEAD_BYTES);
  return start;
}

/** Cuts a stream of chunks into frames. Chunks are never put together: each byte is copied once, to where it belongs. */
export class FrameReader<Message> {
  readonly #sink: FrameSink<Message>;
  readonly #head = Buffer.alloc(FRAME_HEAD_BYTES);
  #headFilled = 0;
  #json: Buffer | undefined; // Only while the JSON is spread over chunks.
  #jsonFilled = 0;
  #message: Message | undefined;
  #payload: Uint8Array | undefined;
  #payloadFilled = 0;
  #stopped = false;

  constructor(sink: FrameSink<Message>) {
    this.#sink = sink;
  }

  /** Takes the next bytes of the stream; `chunk` may be used again afterwards. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#stopped) {
      if (this.#headFilled < FRAME_HEAD_BYTES) at = this.#takeHead(chunk, at);
      else if (this.#message === undefined) at = this.#takeJson(chunk, at);
      else at = this.#takePayload(chunk, at);
    }
  }

  /** Ignores everything from here on; for sinks that end the connection inside a frame. */
  stop(): void {
    this.#stopped = true;
  }

  get #jsonBytes(): number {
    return this.#head.readUInt32LE(0);
  }

  get #payloadBytes(): number {
    return this.#head.readUInt32LE(4);
  }

  #takeHead(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#head, this.#headFilled, at);
    this.#headFilled += taken;
    if (this.#headFilled === FRAME_HEAD_BYTES) this.#checkHead();
    return at + taken;
  }

  #checkHead(): void {
    const [json, payload] = [this.#jsonBytes, this.#payloadBytes];
    if (json === 0 || json > MAX_JSON_BYTES || payload > MAX_PAYLOAD_BYTES) {
      throw new DeviceError('protocol', `a frame claims ${json} bytes of JSON and ${payload} of payload`, {
        details: { json, payload },
      });
    }
  }

  #takeJson(chunk: Buffer, at: number): number {
    const bytes = this.#jsonBytes;
    if (this.#json === undefined && chunk.length - at >= bytes) {
      this.#gotMessage(chunk.toString('utf8', at, at + bytes));
      return at + bytes;
    }
    this.#json ??= Buffer.allocUnsafe(bytes);
    const taken = chunk.copy(this.#json, this.#jsonFilled, at);
    this.#jsonFilled += taken;
    if (this.#jsonFilled === bytes) this.#gotMessage(this.#json.toString('utf8'));
    return at + taken;
  }

  #gotMessage(text: string): void {
    const message = this.#sink.parse(parseJson(text));
    this.#message = message;
    if (this.#payloadBytes === 0) {
      this.#finish(message, undefined);
      return;
    }
    this.#payload = this.#sink.place(message, this.#payloadBytes);
    this.#payloadFilled = 0;
  }

  #takePayload(chunk: Buffer, at: number): number {
    const taken = Math.min(chunk.length - at, this.#payloadBytes - this.#payloadFilled);
    this.#payload?.set(chunk.subarray(at, at + taken), this.#payloadFilled);
    this.#payloadFilled += taken;
    if (this.#payloadFilled === this.#payloadBytes && this.#message !== undefined) {
      this.#finish(this.#message, this.#payload);
    }
    return at + taken;
  }

  #finish(message: Message, payload: Uint8Array | undefined): void {
    this.#headFilled = 0;
    this.#json = undefined;
    this.#jsonFilled = 0;
    this.#message = undefined;
    this.#payload = undefined;
    this.#sink.frame(message, payload);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DeviceError('protocol', `a frame holds what is not JSON: ${JSON.stringify(text.slice(0, 60))}`, {
      cause,
    });
  }
}
