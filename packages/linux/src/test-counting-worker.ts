import { workerData } from 'node:worker_threads';
import { mapRegisters } from './map-registers.ts';

// A second thread that counts in the first word of a file, until it is terminated: small numbers,
// which V8 has in one form.

const { path } = workerData as { readonly path: string };
const { access } = mapRegisters({ path, fileOffset: 0n, leadBytes: 0, sizeBytes: 4 });
for (let count = 0; ; count = (count + 1) & 0xffff) access.write(0, 32, count);
