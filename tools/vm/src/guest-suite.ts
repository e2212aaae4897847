import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Devices } from './devices.ts';
import { brokenFiles, type GuestFile, type GuestReport } from './guest-report.ts';
import { checkout, type RunOptions, type RunResult, runInVm } from './run.ts';

export interface GuestSuite extends Omit<RunOptions, 'command' | 'collect' | 'interactive'> {
  /** Paths of `*.guest.test.ts` files, from the root of the checkout. */
  readonly files: readonly string[];
}

/** What a suite left behind. */
export interface GuestSuiteEnd {
  readonly report: GuestReport;
  readonly run: RunResult;
  /** The devices with the counts of their cables. */
  readonly devices: Devices;
}

/**
 * Boots one machine, runs test files in it and registers every test that ran there as a test of this process,
 * so that each of them is named and counted. Call it at the top of a `*.vm.test.ts` file and await it.
 */
export async function runGuestSuite(suite: GuestSuite): Promise<GuestSuiteEnd> {
  const end = await runSuite(suite);
  const { report, run } = end;
  for (const file of report.testResults) registerTests(file);
  it('ran every file in the machine', () => {
    const wrong = brokenFiles(report).map((file) => `${file.name}: ${file.message}`);
    const missing = suite.files.filter((path) => !report.testResults.some((file) => file.name.endsWith(path)));
    const words = [...wrong, ...missing.map((path) => `${path} did not run`)];
    if (words.length > 0 || run.status > 1) expect.fail([...words, outputOf(run)].join('\n'));
  });
  return end;
}

const reportFile = 'report.json';

async function runSuite(suite: GuestSuite): Promise<GuestSuiteEnd> {
  let text = '{"testResults":[]}';
  let devices: Devices = { qemuArguments: [], wires: new Map() };
  const run = await runInVm({
    timeoutSeconds: 300,
    ...suite,
    command: vitestCommand(suite.files),
    collect: async (share, plugged) => {
      devices = plugged;
      text = await readFile(join(share, reportFile), 'utf8').catch(() => text);
    },
  });
  return { report: JSON.parse(text), run, devices };
}

function vitestCommand(files: readonly string[]): string[] {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=/run/ring3-vm/${reportFile}`];
  const vitest = join(checkout, 'node_modules', 'vitest', 'vitest.mjs');
  // The native loader writes nothing into the checkout, and threads start faster than processes.
  const options = ['--configLoader=native', '--pool=threads', '--project=guest', '--no-cache', ...reporters];
  return ['node', vitest, 'run', ...options, ...files];
}

function registerTests(file: GuestFile): void {
  describe(relative(checkout, file.name), () => {
    for (const test of file.assertionResults) {
      const name = [...test.ancestorTitles, test.title].join(' > ');
      if (test.status === 'passed' || test.status === 'failed') {
        it(name, () => {
          if (test.status === 'failed') expect.fail(test.failureMessages.join('\n'));
        });
      } else it.skip(name);
    }
  });
}

function outputOf(run: RunResult): string {
  return [`The machine's command ended with status ${run.status}.`, run.stdout, run.stderr, run.kernelLog].join('\n');
}
