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
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** How many bytes there have to be before anything can be done. */
  #wanted = 4;

  /** Takes one piece and returns the messages that are complete with it. */
  push(piece: Uint8Array): unknown[] {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    const messages: unknown[] = [];
    while (this.#bytes >= this.#wanted) {
      const all = Buffer.concat(this.#pieces);
      const end = 4 + all.readUInt32LE();
      const complete = all.length >= end;
      if (complete) messages.push(deserialize(all.subarray(4, end)));
      const rest = complete ? all.subarray(end) : all;
      this.#pieces = [rest];
      this.#bytes = rest.length;
      this.#wanted = complete ? 4 : end;
    }
    return messages;
  }
}
