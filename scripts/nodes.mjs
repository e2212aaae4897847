// node scripts/nodes.mjs: puts one Node of each supported line into .toolchain/nodes/VERSION/node, from npm.
// The tests that count register accesses in every engine run them; CI provides them, `npm test` never needs them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { extraCertificates } from './toolchain.mjs';

const VERSIONS = ['22.23.3', '24.21.0', '26.10.0'];
const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), '.toolchain', 'nodes');

if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
  console.error(`npm has no Node for ${process.platform}-${process.arch}: nothing to provide`);
  process.exit(0);
}
for (const version of VERSIONS) if (!provide(version)) process.exitCode = 1;

function provide(version) {
  const target = join(folder, version, 'node');
  if (existsSync(target)) return true;
  const name = `node-linux-${process.arch}`;
  const temporary = join(folder, `tmp-${process.pid}`);
  mkdirSync(temporary, { recursive: true });
  const quiet = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawnSync('npm', ['install', '--prefix', temporary, ...quiet, `${name}@${version}`], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: extraCertificates() },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const fetched = join(temporary, 'node_modules', name, 'bin', 'node');
  if (npm.status === 0 && existsSync(fetched)) {
    mkdirSync(dirname(target), { recursive: true });
    renameSync(fetched, target);
    console.error(`Node ${version}: ${target}`);
  }
  rmSync(temporary, { recursive: true, force: true });
  return existsSync(target);
}
