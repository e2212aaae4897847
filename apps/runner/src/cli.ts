#!/usr/bin/env node
import nodeModule from 'node:module';
import { tooOld } from './node-version.ts';

// An old Node cannot load the rest, so it is told here, whatever was asked for. 69 is "unavailable" in sysexits.h.
const old = tooOld(process.versions.node);
if (old !== undefined) {
  process.stderr.write(`Node ${process.versions.node} is too old: ${old.cause}; install one: ${old.remedy}\n`);
  process.exit(69);
}
// Compiled code is kept between starts, in NODE_COMPILE_CACHE or the folder for temporary files; where that cannot be
// written, this does nothing.
nodeModule.enableCompileCache();
const { main } = await import('./main.ts');
await main(process.argv);
