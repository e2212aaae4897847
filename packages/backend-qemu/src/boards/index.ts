import type { Board } from './board.ts';
import { CLIPPER } from './clipper.ts';
import { PC } from './pc.ts';

const ALL = [PC, CLIPPER] as const;

/** The boards of this package, by name. */
export const BOARDS: ReadonlyMap<string, Board> = new Map(ALL.map((board) => [board.name, board]));
