import { describe, expect, test } from 'vitest';
import { cutRange } from './cut-range.ts';

describe('a range is cut at multiples of the piece', () => {
  test.each([
    [0, 10, [[0, 10]]],
    [3, 7, [[3, 7]]],
    [9, 1, [[9, 1]]],
    [
      9,
      2,
      [
        [9, 1],
        [10, 1],
      ],
    ],
    [
      0,
      20,
      [
        [0, 10],
        [10, 10],
      ],
    ],
    [
      7,
      24,
      [
        [7, 3],
        [10, 10],
        [20, 10],
        [30, 1],
      ],
    ],
    [2 ** 40 * 10 + 5, 5, [[2 ** 40 * 10 + 5, 5]]],
  ])('%d bytes from', (offset, lengthBytes, pieces) => {
    const { count, piece } = cutRange(offset, lengthBytes, 10);
    const cut = Array.from({ length: count }, (_, index) => piece(index));
    expect(cut.map((one) => [one.offset, one.lengthBytes])).toEqual(pieces);
  });
});
