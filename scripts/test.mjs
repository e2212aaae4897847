// npm test: the checks and the unit tests side by side. Arguments go to vitest, as in: npm test -- interrupt
import { checks, runParts, writeReport } from './parts.mjs';

const reporters = ['--reporter=default', '--reporter=json', '--outputFile.json=reports/unit.json'];
const unit = {
  name: 'units',
  command: ['vitest', 'run', '--project', 'unit', ...reporters, ...process.argv.slice(2)],
  summary: /^\s*Tests\s+(.*)$/m,
};

const started = performance.now();
const results = await runParts([unit, ...checks]);
writeReport(results.filter((result) => result.name !== unit.name));

const failed = results.filter((result) => !result.ok).map((result) => result.name);
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(failed.length === 0 ? `\nAll passed in ${seconds} s.` : `\nFailed: ${failed.join(', ')} (${seconds} s).`);
process.exitCode = failed.length === 0 ? 0 : 1;
