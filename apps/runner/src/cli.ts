#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Compiled code is kept between starts, in NODE_COMPILE_CACHE or the folder for temporary files; where that cannot be
// written, this does nothing.
enableCompileCache();
const { main } = await import('./main.ts');
await main(process.argv);
