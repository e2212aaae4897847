// node scripts/report.mjs STAGE=STATUS...
// Sums up reports/*.json after CI ran its stages; the last line is "N passed, N failed".
import { readFileSync } from 'node:fs';

/** "npm test" leaves two reports, every other stage a vitest report of its own name. */
const reportsOf = { test: ['check', 'unit'] };

let passed = 0;
let failed = 0;
for (const argument of process.argv.slice(2)) {
  const [stage, status] = argument.split('=');
  const counts = (reportsOf[stage] ?? [stage]).map(countReport);
  for (const count of counts)
    console.log(`${count.name}: ${count.passed} passed, ${count.failed} failed${count.remark}`);
  passed += sum(counts, 'passed');
  failed += sum(counts, 'failed');
  if (status !== '0' && sum(counts, 'failed') === 0) {
    console.log(`${stage}: ended with status ${status} although no test failed`);
    failed += 1;
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/** A report that is missing or empty is a failure: nothing was tested. */
function countReport(name) {
  const report = read(name);
  const count = Array.isArray(report) ? countChecks(report) : countTests(report);
  if (count.passed + count.failed > 0) return { name, ...count };
  return { name, passed: 0, failed: 1, remark: ', because nothing was tested' };
}

function countChecks(checks) {
  const passed = checks.filter((check) => check.ok).length;
  return { passed, failed: checks.length - passed, remark: '' };
}

function countTests({ numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, testResults = [] }) {
  // A file that could not be loaded, or whose machine died, has no failed test and is a failure all the same.
  const hasFailed = (file) => file.assertionResults.some((test) => test.status === 'failed');
  const broken = testResults.filter((file) => file.status === 'failed' && !hasFailed(file)).length;
  return { passed: numPassedTests, failed: numFailedTests + broken, remark: `, ${numPendingTests} skipped` };
}

function read(name) {
  try {
    return JSON.parse(readFileSync(`reports/${name}.json`, 'utf8'));
  } catch {
    return {};
  }
}

function sum(counts, key) {
  return counts.reduce((total, count) => total + count[key], 0);
}
