import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { mappedBytes, mapRegisters } from './map-registers.ts';

// Maps the file that it is given, forgets the mapping, collects garbage, and says what is still mapped.

const { path } = workerData as { readonly path: string };
mapRegisters({ path, fileOffset: 0n, leadBytes: 0, sizeBytes: 0x1000 }).access.write(0, 32, 0xbeef);
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
for (let round = 0; round < 3; round++) gc();
parentPort?.postMessage({
  mappedBytes: mappedBytes(),
  isMapped: readFileSync('/proc/self/maps', 'utf8').includes('ring3-registers'),
});
