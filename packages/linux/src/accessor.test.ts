import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import wabt from 'wabt';
import { newAccessor } from './accessor.ts';
import { ACCESSOR_WASM } from './accessor-wasm.ts';

it('accessor-wasm.ts has the bytes of accessor.wat', async () => {
  const text = readFileSync(join(import.meta.dirname, 'accessor.wat'), 'utf8');
  const { buffer } = (await wabt()).parseWat('accessor.wat', text, { threads: true }).toBinary({});
  expect(ACCESSOR_WASM).toBe(Buffer.from(buffer).toString('base64'));
});

it('says why there is no accessor without WebAssembly', () => {
  vi.stubGlobal('WebAssembly', undefined);
  expect(() => newAccessor(1)).toThrow('--jitless switches off');
  vi.unstubAllGlobals();
});
