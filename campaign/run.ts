import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';

// `pnpm campaign [NAME...]`: the seeded tests, much longer than in CI, from a seed of the day. The report is kept in the
// repository: campaign/report.json and campaign/README.md.

interface Part {
  readonly name: string;
  readonly what: string;
  readonly project: 'unit' | 'clients' | 'qemu';
  readonly filter: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface Outcome extends Part {
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

const ROOT = join(import.meta.dirname, '..');
const SEED = process.env['RING3_SEED'] ?? String(Math.floor(Date.now() / 86_400_000));
const DIFFERENTIAL_COMMANDS = process.env['RING3_DIFFERENTIAL_COMMANDS'] ?? '1000000';
const PARTS: readonly Part[] = [
  {
    name: 'ata-faults',
    what: '100,000 runs of the disk driver with faults of registers, interrupts and DMA',
    project: 'unit',
    filter: 'packages/drivers/ata-sff/src/fault-runs',
    environment: { RING3_FAULT_RUNS: '100000' },
  },
  {
    name: 'ata-differential',
    what: `${Number(DIFFERENTIAL_COMMANDS).toLocaleString('en')} random commands on the simulated controller and on that of QEMU`,
    project: 'qemu',
    filter: 'packages/drivers/ata-sff/src/differential',
    environment: { RING3_DIFFERENTIAL_COMMANDS: DIFFERENTIAL_COMMANDS },
  },
  {
    name: 'ata-nth-access',
    what: 'each access of a transfer of 8 sectors fails, the data words too',
    project: 'unit',
    filter: 'packages/drivers/ata-sff/src/nth-access',
    environment: { RING3_DATA_STEP: '1' },
  },
  {
    name: 'ata-crash-consistency',
    what: 'a power cut after every event of 500 recorded streams',
    project: 'unit',
    filter: 'packages/drivers/ata-sff/src/crash-consistency',
    environment: { RING3_CRASH_STREAMS: '100' },
  },
  {
    name: 'configurations',
    what: '10,000 random configurations for each property',
    project: 'unit',
    filter: 'packages/rig/src/config/read-config.property',
    environment: { RING3_RUNS: '10000' },
  },
  {
    name: 'reconnecting-disk',
    what: 'random traffic over deaths of the driver',
    project: 'unit',
    filter: 'packages/rig/src/wire/reconnecting-disk.property',
    environment: {},
  },
  {
    name: 'hostile-clients',
    what: 'garbage for the NBD server',
    project: 'unit',
    filter: 'packages/nbd/src/hostile-clients',
    environment: {},
  },
  {
    name: 'fio',
    what: 'two minutes of fio with verification, four jobs on four connections',
    project: 'clients',
    filter: 'packages/nbd/src/fio',
    environment: { RING3_FIO_SECONDS: '120' },
  },
  {
    name: 'killed-driver',
    what: 'a device host killed 200 times under load',
    project: 'clients',
    filter: 'apps/runner/tests/killed-driver',
    environment: { RING3_KILLS: '200' },
  },
  {
    name: 'killed-process',
    what: 'the runner killed 400 times under load',
    project: 'clients',
    filter: 'apps/runner/tests/killed-process',
    environment: { RING3_KILLS: '400' },
  },
];

async function runPart(part: Part): Promise<Outcome> {
  process.stderr.write(`${part.name}: ${part.what} ...\n`);
  const report = join(ROOT, 'reports', `campaign-${part.name}.json`);
  mkdirSync(join(ROOT, 'reports'), { recursive: true });
  const start = performance.now();
  const args = [
    'run',
    '--project',
    part.project,
    part.filter,
    '--reporter=json',
    `--outputFile=${report}`,
    '--testTimeout=3600000',
  ];
  const environment = { ...process.env, RING3_SEED: SEED, ...part.environment };
  const child = spawn('vitest', args, { cwd: ROOT, env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
  await once(child, 'exit');
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
  const seconds = Math.round((performance.now() - start) / 1000);
  return { ...part, passed: numPassedTests ?? 0, failed: numFailedTests ?? 0, seconds };
}

function markdown(commit: string, outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(
    ({ name, what, passed, failed, seconds }) => `| ${name} | ${what} | ${passed} | ${failed} | ${seconds} |`,
  );
  return [
    '# The last campaign',
    '',
    `Written by \`pnpm campaign\` on ${new Date().toISOString().slice(0, 10)} at commit ${commit}, seed ${SEED}, Node ${process.version},`,
    `Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model}. \`RING3_SEED=${SEED} pnpm campaign NAME\` repeats a part.`,
    '',
    '| part | what | passed | failed | seconds |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  process.stderr.write(`no part ${unknown.join(', ')}; there is: ${PARTS.map((part) => part.name).join(', ')}\n`);
  process.exit(64);
}
const outcomes: Outcome[] = [];
for (const part of PARTS) if (wanted.length === 0 || wanted.includes(part.name)) outcomes.push(await runPart(part));
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed + (outcome.passed === 0 ? 1 : 0), 0);
if (wanted.length === 0) {
  writeFileSync(join(import.meta.dirname, 'README.md'), markdown(commit, outcomes));
  writeFileSync(
    join(import.meta.dirname, 'report.json'),
    `${JSON.stringify({ seed: SEED, commit, outcomes }, undefined, 2)}\n`,
  );
}
process.stdout.write(markdown(commit, outcomes));
process.exitCode = failed > 0 ? 1 : 0;
