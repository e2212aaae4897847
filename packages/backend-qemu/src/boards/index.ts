import type { Board } from './board.ts';
import { CLIPPER } from './clipper.ts';
import { PC } from './pc.ts';
import { VIRT } from './virt.ts';
import { XILINX_ZYNQ_A9 } from './xilinx-zynq-a9.ts';

const ALL = [PC, CLIPPER, VIRT, XILINX_ZYNQ_A9] as const;

/** The boards of this package, by name. */
export const BOARDS: ReadonlyMap<string, Board> = new Map(ALL.map((board) => [board.name, board]));
