import { BufferPool } from './buffer-pool.ts';

/** Pieces are about this long at most, so that cutting one copies little. */
const PIECE_BYTES = 64 * 1024;
/** What a piece costs beside its data; keeps many small ones from counting as nothing. */
const PIECE_OVERHEAD_BYTES = 128;

/** Blocks as they were acknowledged. */
export interface JournalPiece {
  readonly block: number;
  readonly blocks: number;
  readonly data: Uint8Array<ArrayBuffer>;
  /** Counts acknowledgements. */
  readonly mark: number;
  /** It could not be written again: the device may hold something older. */
  doubtful: boolean;
}

/**
 * The acknowledged writes that no flush has covered yet, in bounded memory: what a device may forget when it dies.
 * Pieces never overlap: a newer write takes the place of the older ones under it. So the order of a replay does not
 * matter, and nothing that is replayed can hide anything newer.
 */
export class WriteJournal {
  readonly limitBytes: number;
  readonly #blockSize: number;
  readonly #pieceBytes: number;
  readonly #pool: BufferPool;
  #pieces: JournalPiece[] = []; // By block.
  #bytes = 0;
  #mark = 0;

  constructor(limitBytes: number, blockSizeBytes: number) {
    this.limitBytes = limitBytes;
    this.#blockSize = blockSizeBytes;
    this.#pool = new BufferPool(limitBytes / 2);
    this.#pieceBytes = Math.max(1, Math.floor(PIECE_BYTES / blockSizeBytes)) * blockSizeBytes;
  }

  /** Memory in use, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Everything in it, by block. */
  get pieces(): readonly JournalPiece[] {
    return this.#pieces;
  }

  /** Stands for all that was acknowledged up to now. */
  get mark(): number {
    return this.#mark;
  }

  /** Whether a write of this length can be remembered. */
  hasRoom(lengthBytes: number): boolean {
    const pieces = Math.ceil(lengthBytes / this.#pieceBytes);
    return this.#bytes + lengthBytes + pieces * PIECE_OVERHEAD_BYTES <= this.limitBytes;
  }

  /** Remembers a copy of an acknowledged write, in the place of what it has overwritten. */
  add(block: number, data: Uint8Array): void {
    this.#mark += 1;
    const added: JournalPiece[] = [];
    for (let at = 0; at < data.length; at += this.#pieceBytes) {
      const copy = this.#copy(data, at, at + this.#pieceBytes);
      added.push({
        block: block + at / this.#blockSize,
        blocks: copy.length / this.#blockSize,
        data: copy,
        mark: this.#mark,
        doubtful: false,
      });
    }
    this.#replace(block, data.length / this.#blockSize, added);
  }

  /** Forgets blocks that now stand on the medium, newer than what is remembered. */
  forget(block: number, blocks: number): void {
    this.#replace(block, blocks, []);
  }

  /** Forgets what was acknowledged up to `mark`. The memory is used again: nobody may still be reading pieces. */
  dropThrough(mark: number): void {
    const kept = this.#pieces.filter((piece) => piece.mark > mark);
    for (const piece of this.#pieces) if (piece.mark <= mark) this.#discard(piece);
    this.#pieces = kept;
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }

  /** The first doubtful piece among these blocks. */
  findDoubtful(block: number, blocks: number): JournalPiece | undefined {
    return this.#pieces.find(
      (piece) => piece.doubtful && piece.block < block + blocks && block < piece.block + piece.blocks,
    );
  }

  #replace(block: number, blocks: number, added: JournalPiece[]): void {
    const first = this.#firstEndingAfter(block);
    const kept: JournalPiece[] = [];
    let behind = first;
    for (
      let piece = this.#pieces[behind];
      piece !== undefined && piece.block < block + blocks;
      piece = this.#pieces[++behind]
    ) {
      if (piece.block < block) kept.push(this.#cut(piece, piece.block, block));
      kept.push(...added.splice(0));
      const end = piece.block + piece.blocks;
      if (end > block + blocks) kept.push(this.#cut(piece, block + blocks, end));
      this.#discard(piece);
    }
    kept.push(...added);
    for (const piece of kept) this.#bytes += memoryOf(piece);
    this.#pieces.splice(first, behind - first, ...kept);
  }

  /** A copy of a part: a view would keep the whole piece in memory. */
  #cut({ block, data, ...rest }: JournalPiece, from: number, to: number): JournalPiece {
    const part = this.#copy(data, (from - block) * this.#blockSize, (to - block) * this.#blockSize);
    return { ...rest, block: from, blocks: to - from, data: part };
  }

  #copy(data: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> {
    const part = data.subarray(from, to);
    const copy = this.#pool.take(part.length);
    copy.set(part);
    return copy;
  }

  #discard(piece: JournalPiece): void {
    this.#bytes -= memoryOf(piece);
    this.#pool.give(piece.data);
  }

  #firstEndingAfter(block: number): number {
    let [low, high] = [0, this.#pieces.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const piece = this.#pieces[middle];
      if (piece !== undefined && piece.block + piece.blocks <= block) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function memoryOf({ data }: JournalPiece): number {
  return data.buffer.byteLength + PIECE_OVERHEAD_BYTES;
}
