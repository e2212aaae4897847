import { deserialize, serialize } from 'node:v8';

/** A message as it goes over a byte stream: four bytes of length, then the structured clone of it. */
export function encodeFrame(message: unknown): Buffer {
  const body = serialize(message);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

/** Puts the messages of a byte stream together again, whatever the pieces in which it arrives. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  /** Takes one piece and returns the messages that are complete with it. */
  push(chunk: Uint8Array): unknown[] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const messages: unknown[] = [];
    while (this.#pending.length >= 4) {
      const end = 4 + this.#pending.readUInt32LE();
      if (this.#pending.length < end) break;
      messages.push(deserialize(this.#pending.subarray(4, end)));
      this.#pending = this.#pending.subarray(end);
    }
    return messages;
  }
}
