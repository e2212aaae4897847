// Provides pnpm, and a Node that strips types where the one at hand is too old.
// Plain JavaScript for any Node from 20 on; nothing but npm is needed.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_VERSION = '24.21.0'; // The version of pnpm is "packageManager" in package.json.

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, '.toolchain');
const stampFile = join(folder, 'installed.json');
const windows = process.platform === 'win32';
const exe = windows ? '.exe' : '';
const platform = `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`;

/** An error whose message is all that a person needs to read. */
export class SetupError extends Error {}

export function say(line) {
  process.stderr.write(`ring3: ${line}\n`);
}

/** Installs what is missing into .toolchain and puts it first in PATH. Returns the versions in use. */
export function provideToolchain() {
  const tools = wantedTools();
  const missing = tools.filter((tool) => !isInstalled(tool));
  if (missing.length > 0) install(missing);
  const nodeFolder = nodeAtHandServes() ? dirname(process.execPath) : join(folder, 'node');
  const path = [join(folder, 'pnpm'), nodeFolder, join(root, 'node_modules', '.bin'), process.env.PATH];
  process.env.PATH = path.join(delimiter);
  return Object.fromEntries(tools.map((tool) => [tool.name, tool.version]));
}

function nodeAtHandServes() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major >= 24 || (major === 22 && minor >= 18);
}

function wantedTools() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const pnpm = {
    name: 'pnpm',
    version: packageManager.replace('pnpm@', ''),
    package: `@pnpm/exe.${platform}`,
    file: `pnpm${exe}`,
    platforms: /^(linux|darwin|win32)-(x64|arm64)(-musl)?$/,
  };
  const node = {
    name: 'node',
    version: NODE_VERSION,
    package: `node-${platform}`,
    file: 'bin/node',
    platforms: /^linux-(x64|arm64)$/,
  };
  return nodeAtHandServes() ? [pnpm] : [pnpm, node];
}

function isMusl() {
  if (process.platform !== 'linux') return false;
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}

function binary(tool) {
  return join(folder, tool.name, tool.name + exe);
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

/** A tool counts as installed when the stamp, written last, names its exact version. */
function isInstalled(tool) {
  return readStamp()[tool.name] === `${tool.package}@${tool.version}` && existsSync(binary(tool));
}

function install(tools) {
  refuseUnsupported(tools);
  const started = Date.now();
  const names = tools.map((tool) => `${tool.name} ${tool.version}`).join(' and ');
  say(`fetching ${names} into .toolchain (once, some 10 to 60 s) ...`);
  removeLeftovers();
  const temporary = join(folder, `tmp-${process.pid}`);
  mkdirSync(temporary, { recursive: true });
  try {
    npmInstall(temporary, tools);
    for (const tool of tools) putInPlace(tool, temporary);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  say(`fetched in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function refuseUnsupported(tools) {
  for (const { name, platforms } of tools) {
    if (platforms.test(platform)) continue;
    const remedy =
      name === 'node' ? 'Install Node 22.18, 24 or later (https://nodejs.org)' : 'Use another machine to develop';
    throw new SetupError(
      `this machine (${platform}, Node ${process.versions.node}) needs ${name}, which npm does not have for it.\n${remedy}.`,
    );
  }
}

/** What an interrupted run left behind: its process is gone. */
function removeLeftovers() {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const pid = /^tmp-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function npmInstall(prefix, tools) {
  const packages = tools.map((tool) => `${tool.package}@${tool.version}`);
  const quiet = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const patience = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];
  const run = spawnSync('npm', ['install', '--prefix', prefix, ...quiet, ...patience, ...packages], {
    encoding: 'utf8',
    env: { ...process.env, NODE_EXTRA_CA_CERTS: extraCertificates() },
    shell: windows,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (run.status === 0) return;
  if (run.signal) process.kill(process.pid, run.signal);
  const details = run.error?.message ?? run.stderr.trim();
  throw new SetupError(
    `npm could not fetch ${packages.join(' and ')}:\n${details}\n` +
      'Check that npm is installed and that it reaches its registry ("npm ping"), then run this again.',
  );
}

/** npm trusts only what Node brings; a machine behind a company's proxy has that authority in its own store. */
export function extraCertificates() {
  const system = '/etc/ssl/certs/ca-certificates.crt';
  return process.env.NODE_EXTRA_CA_CERTS ?? (existsSync(system) ? system : undefined);
}

/** Moves one binary into place and then stamps it: an interruption in between only repeats the fetch. */
function putInPlace(tool, temporary) {
  mkdirSync(dirname(binary(tool)), { recursive: true });
  renameSync(join(temporary, 'node_modules', tool.package, tool.file), binary(tool));
  const stamp = { ...readStamp(), [tool.name]: `${tool.package}@${tool.version}` };
  writeFileSync(join(temporary, 'stamp'), `${JSON.stringify(stamp)}\n`);
  renameSync(join(temporary, 'stamp'), stampFile);
  if (!windows) linkIntoBin(tool);
}

/** `.toolchain/bin` is for people: one folder to put into PATH. */
function linkIntoBin(tool) {
  const link = join(folder, 'bin', tool.name);
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(join('..', tool.name, tool.name), link);
}
