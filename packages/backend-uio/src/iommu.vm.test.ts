import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { runInVm } from '../../../tools/vm/src/run.ts';

// QEMU's intel-iommu, on the board that has one, and edu behind it.

interface Answer {
  readonly obstacles: readonly string[];
  readonly answer: string;
}

describe('memory for DMA on a machine with an IOMMU', () => {
  let seen: { readonly translated: Answer; readonly passed: Answer };
  beforeAll(async () => {
    const program = fileURLToPath(new URL('./testing/dma-behind-iommu.ts', import.meta.url));
    const { stdout, stderr } = await runInVm({
      command: ['node', '--conditions=ring3-source', program],
      qemuArguments: ['-M', 'q35,kernel-irqchip=split', '-device', 'intel-iommu', '-device', 'edu,addr=10'],
      append: ['intel_iommu=on'],
    });
    if (stdout === '') throw new Error(stderr);
    seen = JSON.parse(stdout);
  }, 200_000);

  it('is refused where it translates, told beforehand, and VFIO is named', () => {
    const words = /an IOMMU translates its transfers \(group \d+, type DMA(-FQ)?\).*VFIO/;
    expect(seen.translated.obstacles).toContainEqual(expect.stringMatching(words));
    expect(seen.translated.answer).toMatch(words);
  });

  it('is given where it passes addresses on', () => {
    expect(seen.passed.obstacles).not.toContainEqual(expect.stringContaining('IOMMU'));
    expect(seen.passed.answer).toBe('huge pages, physical addresses');
  });
});
