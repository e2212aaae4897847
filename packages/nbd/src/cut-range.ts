/** A part of a range of bytes. */
export interface RangePiece {
  readonly offset: number;
  readonly lengthBytes: number;
}

/** A range of bytes cut at the multiples of `pieceBytes`: only its first and its last piece can be shorter. */
export interface CutRange {
  readonly count: number;
  piece(index: number): RangePiece;
}

export function cutRange(offset: number, lengthBytes: number, pieceBytes: number): CutRange {
  const end = offset + lengthBytes;
  const firstEnd = offset - (offset % pieceBytes) + pieceBytes;
  return {
    count: 1 + Math.max(0, Math.ceil((end - firstEnd) / pieceBytes)),
    piece: (index) => {
      const from = index === 0 ? offset : firstEnd + (index - 1) * pieceBytes;
      return { offset: from, lengthBytes: Math.min(firstEnd + index * pieceBytes, end) - from };
    },
  };
}
