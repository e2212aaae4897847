// pnpm check: everything that can be said about the code without running it.
import { checks, runParts, writeReport } from './parts.mjs';

const results = await runParts(checks);
writeReport(results);
process.exitCode = results.every((result) => result.ok) ? 0 : 1;
