import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkEngine, judge, requireEngine, witness } from './engine.ts';
import { mappedBytes } from './map-registers.ts';
import { NODE_LINES, nodeOfLine, runNode } from './test-engines.ts';

describe('judge', () => {
  it('knows the engines in which accesses were counted, with all their fixes', () => {
    expect(judge('13.6.233.17-node.53', 'x64', 0)).toMatchObject({ ok: true, proven: true });
    expect(judge('13.6.233.99-node.1', 'x64', 0).proven).toBe(true);
    expect(judge('13.6.2331.1', 'x64', 0).proven).toBe(false);
    expect(judge('13.6.233.17-node.53', 'loong64', 0).proven).toBe(false);
  });

  it('lets an engine work that is not proven, and says which ones are', () => {
    const { ok, proven, words } = judge('15.1.20.3-node.2', 'x64', 0);
    expect([ok, proven]).toEqual([true, false]);
    expect(words).toMatch(/V8 15.1.20.3-node.2 on x64 is not proven.*14.6.202 of Node 26.*no read was lost/);
  });

  it('refuses an engine that loses reads, also a proven one', () => {
    const check = judge('13.6.233.17-node.53', 'x64', 3);
    expect(check.ok).toBe(false);
    expect(check.words).toMatch(/lost 3 of 192 register reads/);
    expect(() => requireEngine(() => check)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('says when nobody could count', () => {
    expect(judge('13.6.233.17-node.53', 'x64', undefined)).toMatchObject({ ok: true, proven: true });
    expect(judge('13.6.233.17-node.53', 'x64', undefined).words).toContain('no files in memory');
  });
});

describe.skipIf(process.platform !== 'linux')('checkEngine', () => {
  it('finds no fault with this engine, and leaves nothing mapped', () => {
    expect(checkEngine()).toMatchObject({ ok: true });
    expect(mappedBytes()).toBe(0);
  });

  it('sees reads that do not happen', () => {
    expect(witness(() => {})).toBe(192);
    expect(witness((access, width, step) => void access.read(step, width))).toBe(6 * 31);
  });

  it.for(NODE_LINES)('has Node %i on its list', async (line, context) => {
    const engine = JSON.stringify(join(import.meta.dirname, 'engine.ts'));
    const script = `import { checkEngine } from ${engine}; console.log(JSON.stringify(checkEngine()));`;
    const flags = ['--input-type=module', '-e', script];
    expect(JSON.parse(await runNode(nodeOfLine(line, context), flags))).toMatchObject({ ok: true, proven: true });
  });
});
