import { libataAccesses } from './libata-accesses.ts';
import { ring3Accesses } from './ring3-accesses.ts';
import type { Row } from './row.ts';

/** Register accesses per command: ring3's driver beside the kernel's, which runs in a virtual machine. */
export async function commandAccesses(): Promise<Row[]> {
  const [ring3, libata] = [await ring3Accesses(), await libataAccesses()];
  return [...libata].map(([what, { registers }]) => {
    const ours = ring3.get(what) ?? Number.NaN;
    return {
      what: `register accesses of ${what}`,
      ring3: String(ours),
      peer: `libata ${registers}`,
      ratio: ours / registers,
      target: 'not more',
      met: ours <= registers,
    };
  });
}
