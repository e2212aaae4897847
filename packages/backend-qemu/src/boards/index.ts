import type { Board } from './board.ts';
import { PC } from './pc.ts';

const ALL = [PC] as const;

/** The boards of this package, by name. */
export const BOARDS: ReadonlyMap<string, Board> = new Map(ALL.map((board) => [board.name, board]));
