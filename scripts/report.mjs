// node scripts/report.mjs STAGE=STATUS...
// Sums up reports/*.json after CI ran its stages; the last line is "N passed, N failed".
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
for (const argument of process.argv.slice(2)) {
  const [stage, status] = argument.split('=');
  const count = countStage(stage);
  // A stage that ended badly without a failed test, or that left no report, is itself a failure.
  if (count.failed === 0 && (status !== '0' || count.passed === 0)) count.failed = 1;
  console.log(`${stage}: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  passed += count.passed;
  failed += count.failed;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/** The stage "test" is the checks and the unit tests; every other stage has a vitest report of its own name. */
function countStage(stage) {
  if (stage !== 'test') return countTests(read(stage));
  const checks = read('check') ?? [];
  const units = countTests(read('unit'));
  const good = checks.filter((check) => check.ok).length;
  return { ...units, passed: units.passed + good, failed: units.failed + checks.length - good };
}

function countTests(report) {
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, testResults = [] } = report ?? {};
  // A file that could not be loaded has no tests and is a failure all the same.
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  return { passed: numPassedTests, failed: numFailedTests + broken, skipped: numPendingTests };
}

function read(name) {
  try {
    return JSON.parse(readFileSync(`reports/${name}.json`, 'utf8'));
  } catch {
    return undefined;
  }
}
