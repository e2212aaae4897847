import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Claim, ResourceTree } from './resource-tree.ts';

const busyWith = (holder: string) => expect.objectContaining({ code: 'busy', details: { holder } });

describe('ResourceTree', () => {
  it('gives a range to one holder, whom conflicts name', () => {
    const tree = new ResourceTree('port');
    tree.request('ata0 command', 0x1f0n, 8n);
    tree.request('ata0 control', 0x3f6n, 1n);
    expect(() => tree.request('ide', 0x1f7n, 2n)).toThrow(busyWith('ata0 command'));
    expect(() => tree.request('ide', 0x1f7n, 2n)).toThrow('ide cannot have 01f7-01f8: ata0 command holds 01f0-01f7');
    expect(() => tree.request('everything', 0n, 0x10000n)).toThrow(busyWith('ata0 command'));
    tree.request('neighbour', 0x1f8n, 1n);
  });

  it('gives a range back exactly, once', () => {
    const tree = new ResourceTree('port');
    const claim = tree.request('first', 0x10n, 4n);
    claim.release();
    const second = tree.request('second', 0x10n, 4n);
    claim.release();
    expect(String(tree)).toBe('0010-0013 : second');
    second.release();
    expect(String(tree)).toBe('');
  });

  it('puts claims below the windows that contain them', () => {
    const tree = new ResourceTree('memory');
    tree.window('PCI Bus 0000:00', 0xe000_0000n, 0x1000_0000n);
    tree.window('0000:00:04.0', 0xfeb0_0000n - 0x1000_0000n, 0x1000n);
    tree.request('edu', 0xeeb0_0000n, 0x100n);
    expect(() => tree.request('straddler', 0xdfff_ff00n, 0x200n)).toThrow(busyWith('PCI Bus 0000:00'));
    expect(() => tree.request('straddler', 0xeeb0_0f00n, 0x200n)).toThrow(busyWith('0000:00:04.0'));
    expect(() => tree.window('late window', 0xeeb0_0000n, 0x80n)).toThrow(busyWith('edu'));
    expect(String(tree)).toBe(
      ['e0000000-efffffff : PCI Bus 0000:00', '  eeb00000-eeb00fff : 0000:00:04.0', '    eeb00000-eeb000ff : edu'].join(
        '\n',
      ),
    );
  });

  it('lets a holder give away parts, inside of its range only', () => {
    const tree = new ResourceTree('memory');
    const fpga = tree.request('fpga', 0x1000n, 0x1000n);
    const part = fpga.request('uart', 0x1100n, 0x10n);
    expect(part).toMatchObject({ holder: 'uart', start: 0x1100n, sizeBytes: 0x10n });
    expect(() => fpga.request('gpio', 0x110fn, 0x10n)).toThrow(busyWith('uart'));
    expect(() => fpga.request('gpio', 0x1ff0n, 0x20n)).toThrow(
      'gpio: 00001ff0-0000200f does not lie inside 00001000-00001fff of fpga',
    );
    expect(() => tree.request('gpio', 0x1200n, 1n)).toThrow(busyWith('fpga'));
  });

  it('takes parts back with the whole, as the kernel does', () => {
    const tree = new ResourceTree('memory');
    const fpga = tree.request('fpga', 0x1000n, 0x1000n);
    const part = fpga.request('uart', 0x1100n, 0x10n);
    fpga.release();
    tree.request('other', 0x1100n, 0x10n);
    for (const gone of [fpga, part]) {
      expect(() => gone.request('late', 0x1100n, 1n)).toThrow(expect.objectContaining({ code: 'closed' }));
    }
    part.release();
    expect(String(tree)).toBe('00001100-0000110f : other');
  });

  it.each([
    ['port', 0xffffn, 2n],
    ['port', 0x10000n, 1n],
    ['port', -1n, 2n],
    ['memory', 0n, 0n],
    ['memory', 0n, -1n],
    ['memory', 2n ** 64n - 1n, 2n],
  ] as const)('refuses what is no range of %ss: %i and %i bytes', (kind, start, sizeBytes) => {
    expect(() => new ResourceTree(kind).request('x', start, sizeBytes)).toThrow(RangeError);
    expect(() => new ResourceTree(kind).window('x', start, sizeBytes)).toThrow(RangeError);
  });

  it('goes to the last address', () => {
    const tree = new ResourceTree('memory');
    tree.request('all', 0n, 2n ** 64n);
    expect(String(tree)).toBe('00000000-ffffffffffffffff : all');
  });

  it('prints five levels by their depth and deeper ones like the fifth, as /proc/iomem', () => {
    let claim = new ResourceTree('memory').request('level 0', 0n, 8n);
    const tree = new ResourceTree('memory');
    claim = tree.request('level 0', 0n, 8n);
    for (let level = 1; level <= 6; level++) claim = claim.request(`level ${level}`, 0n, 8n);
    const indents = String(tree)
      .split('\n')
      .map((line) => line.search(/\S/));
    expect(indents).toEqual([0, 2, 4, 6, 8, 10, 10]);
  });
});

/** The same rules, thought of as a flat list that is searched from end to end. */
class NaiveTree {
  nodes: { name: string; start: number; end: number; window: boolean; parent: string | undefined }[] = [];

  #isBelow(name: string | undefined, ancestor: string | undefined): boolean {
    if (name === ancestor) return true;
    const node = this.nodes.find((one) => one.name === name);
    return node !== undefined && this.#isBelow(node.parent, ancestor);
  }

  /** @returns who is in the way: nobody when it is granted. */
  add(name: string, start: number, end: number, window: boolean, inside: string | undefined): string[] {
    const outer = this.nodes.find((node) => node.name === inside);
    if (outer !== undefined && (start < outer.start || end > outer.end)) return [outer.name];
    const candidates = this.nodes.filter((node) => node.name !== inside && this.#isBelow(node.name, inside));
    const overlapping = candidates.filter((node) => node.start <= end && start <= node.end);
    const around = overlapping.filter((node) => node.window && node.start <= start && end <= node.end);
    const inTheWay = overlapping.filter((node) => !around.includes(node));
    if (inTheWay.length > 0) return inTheWay.map((node) => node.name);
    this.nodes.push({ name, start, end, window, parent: around.at(-1)?.name ?? inside });
    return [];
  }

  remove(name: string): void {
    this.nodes = this.nodes.filter((node) => !this.#isBelow(node.name, name));
  }

  print(parent?: string, depth = 0): string[] {
    const hex = (address: number) => address.toString(16).padStart(4, '0');
    return this.nodes
      .filter((node) => node.parent === parent)
      .sort((a, b) => a.start - b.start)
      .flatMap((node) => [
        `${'  '.repeat(Math.min(depth, 5))}${hex(node.start)}-${hex(node.end)} : ${node.name}`,
        ...this.print(node.name, depth + 1),
      ]);
  }
}

describe('ResourceTree and a naive list', () => {
  const range = fc.record({ start: fc.nat(60), sizeBytes: fc.integer({ min: 1, max: 24 }) });
  const command = fc.oneof(
    fc.record({ kind: fc.constantFrom('request', 'window'), range, which: fc.nat(9) }),
    fc.record({ kind: fc.constantFrom('nested', 'nested', 'release'), range, which: fc.nat(9) }),
  );

  it('agree on every request, nested or not, every release and every line', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const tree = new ResourceTree('port');
        const naive = new NaiveTree();
        const claims: Claim[] = [];
        for (const [index, { kind, range: wanted, which }] of commands.entries()) {
          const { start, sizeBytes } = wanted;
          const name = `${kind} ${index}`;
          const end = start + sizeBytes - 1;
          const outer = claims[which % Math.max(claims.length, 1)];
          if (kind === 'release') {
            outer?.release();
            if (outer !== undefined) naive.remove(outer.holder);
          } else if (kind === 'window') {
            const blamed = refusal(() => tree.window(name, BigInt(start), BigInt(sizeBytes)));
            expectSame(blamed, naive.add(name, start, end, true, undefined));
          } else if (kind === 'request') {
            const blamed = refusal(() => void claims.push(tree.request(name, BigInt(start), BigInt(sizeBytes))));
            expectSame(blamed, naive.add(name, start, end, false, undefined));
          } else if (outer !== undefined && naive.nodes.some((node) => node.name === outer.holder)) {
            const blamed = refusal(() => void claims.push(outer.request(name, BigInt(start), BigInt(sizeBytes))));
            expectSame(blamed, naive.add(name, start, end, false, outer.holder));
          }
          expect(String(tree)).toBe(naive.print().join('\n'));
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** The message of a refusal; `undefined` when it was granted. */
function refusal(attempt: () => void): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: 'busy' });
    return String(error);
  }
}

function expectSame(refused: string | undefined, inTheWay: string[]): void {
  if (refused === undefined) expect(inTheWay).toEqual([]);
  else expect(inTheWay.some((name) => refused.includes(name))).toBe(true);
}
