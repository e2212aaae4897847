import { encodeMessage } from './errno.ts';
import { HANDSHAKE_FLAG, INFO, MAGIC, MAX_PAYLOAD_BYTES, OPTION_REPLY } from './protocol.ts';

/** The bytes before the data of an option: magic, option, length. */
export const OPTION_HEADER_BYTES = 16;

/** What a client is told about an export. */
export interface ExportFacts {
  readonly name: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly preferredBlockBytes: number;
}

/** What the server says first (proto.md, "Newstyle negotiation"). */
export function encodeGreeting(): Buffer {
  const greeting = Buffer.alloc(18);
  greeting.writeBigUInt64BE(MAGIC.init, 0);
  greeting.writeBigUInt64BE(MAGIC.option, 8);
  greeting.writeUInt16BE(HANDSHAKE_FLAG.fixedNewstyle | HANDSHAKE_FLAG.noZeroes, 16);
  return greeting;
}

/** The header of an option, or undefined when its magic is wrong. */
export function decodeOptionHeader(header: Buffer): { option: number; lengthBytes: number } | undefined {
  if (header.readBigUInt64BE(0) !== MAGIC.option) return undefined;
  return { option: header.readUInt32BE(8), lengthBytes: header.readUInt32BE(12) };
}

/** A reply to any option but EXPORT_NAME (proto.md, "Fixed newstyle negotiation"). */
export function encodeOptionReply(option: number, type: number, data: Uint8Array = new Uint8Array()): Buffer {
  const reply = Buffer.alloc(20 + data.length);
  reply.writeBigUInt64BE(MAGIC.optionReply, 0);
  reply.writeUInt32BE(option, 8);
  reply.writeUInt32BE(type, 12);
  reply.writeUInt32BE(data.length, 16);
  reply.set(data, 20);
  return reply;
}

/** An error reply with its message. */
export function encodeOptionError(option: number, type: number, message: string): Buffer {
  return encodeOptionReply(option, type, encodeMessage(message));
}

/** One line of a list (NBD_REP_SERVER). */
export function encodeServerReply(option: number, { name, description }: ExportFacts): Buffer {
  const nameBytes = Buffer.from(name, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(nameBytes.length);
  const data = Buffer.concat([length, nameBytes, encodeMessage(description)]);
  return encodeOptionReply(option, OPTION_REPLY.server, data);
}

/** The answer to EXPORT_NAME: no header, and 124 zeroes for clients that did not say NO_ZEROES. */
export function encodeExportNameReply(facts: ExportFacts, flags: number, noZeroes: boolean): Buffer {
  const reply = Buffer.alloc(noZeroes ? 10 : 134);
  reply.writeBigUInt64BE(BigInt(facts.sizeBytes), 0);
  reply.writeUInt16BE(flags, 8);
  return reply;
}

/** What NBD_OPT_INFO and NBD_OPT_GO ask for. */
export interface ExportQuery {
  readonly name: string;
  readonly requests: ReadonlySet<number>;
}

/** The data of NBD_OPT_INFO and NBD_OPT_GO, or undefined when its lengths contradict each other. */
export function decodeExportQuery(data: Buffer): ExportQuery | undefined {
  if (data.length < 6) return undefined;
  const nameLength = data.readUInt32BE(0);
  if (nameLength > data.length - 6) return undefined;
  const count = data.readUInt16BE(4 + nameLength);
  if (data.length !== 6 + nameLength + 2 * count) return undefined;
  const requests = new Set<number>();
  for (let at = 6 + nameLength; at < data.length; at += 2) requests.add(data.readUInt16BE(at));
  return { name: data.toString('utf8', 4, 4 + nameLength), requests };
}

/** The NBD_REP_INFO replies to one query: NBD_INFO_EXPORT always, the others if asked for. */
export function encodeInfoReplies(option: number, facts: ExportFacts, flags: number, query: ExportQuery): Buffer[] {
  const infos = [exportInfo(facts, flags)];
  if (query.requests.has(INFO.name)) infos.push(textInfo(INFO.name, Buffer.from(facts.name, 'utf8')));
  if (query.requests.has(INFO.description) && facts.description !== '') {
    infos.push(textInfo(INFO.description, encodeMessage(facts.description)));
  }
  if (query.requests.has(INFO.blockSize)) infos.push(blockSizeInfo(facts));
  return infos.map((info) => encodeOptionReply(option, OPTION_REPLY.info, info));
}

function exportInfo(facts: ExportFacts, flags: number): Buffer {
  const info = Buffer.alloc(12);
  info.writeUInt16BE(INFO.export, 0);
  info.writeBigUInt64BE(BigInt(facts.sizeBytes), 2);
  info.writeUInt16BE(flags, 10);
  return info;
}

function textInfo(type: number, text: Buffer): Buffer {
  const info = Buffer.alloc(2 + text.length);
  info.writeUInt16BE(type, 0);
  info.set(text, 2);
  return info;
}

/** The minimum is 1 because bytes are really served; a partial block costs a read-modify-write. */
function blockSizeInfo({ preferredBlockBytes }: ExportFacts): Buffer {
  const info = Buffer.alloc(14);
  info.writeUInt16BE(INFO.blockSize, 0);
  info.writeUInt32BE(1, 2);
  info.writeUInt32BE(preferredBlockBytes, 6);
  info.writeUInt32BE(MAX_PAYLOAD_BYTES, 10);
  return info;
}
