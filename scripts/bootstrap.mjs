// node scripts/bootstrap.mjs COMMAND [ARGUMENT...]
// Runs a command with everything it needs: toolchain, dependencies, PATH.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { provideToolchain, root, SetupError, say } from './toolchain.mjs';

process.env.TURBO_TELEMETRY_DISABLED = '1';
process.env.DO_NOT_TRACK = '1';

try {
  process.chdir(root);
  const versions = provideToolchain();
  provideDependencies(versions.pnpm);
  run(process.argv[2], process.argv.slice(3));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}

/** Installs what the lockfile says, unless node_modules is stamped with this very lockfile. */
function provideDependencies(pnpmVersion) {
  const stampFile = join(root, 'node_modules', '.bootstrap-stamp');
  const wanted = fingerprint(pnpmVersion);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;
  const started = Date.now();
  say('installing dependencies (pnpm install --frozen-lockfile) ...');
  const install = spawnSync('pnpm', ['install', '--frozen-lockfile', '--reporter=append-only'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (install.signal) process.kill(process.pid, install.signal);
  if (install.status !== 0) {
    const details = install.error?.message ?? `${install.stdout}${install.stderr}`.trim();
    throw new SetupError(`pnpm install failed:\n${details}`);
  }
  writeFileSync(stampFile, wanted);
  say(`installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function fingerprint(pnpmVersion) {
  const hash = createHash('sha256').update(`${pnpmVersion} ${process.platform} ${process.arch}`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function run(command, args) {
  if (command === undefined) return;
  const child = spawn(command, args, { stdio: 'inherit' });
  const forward = (signal) => {
    if (signal === 'SIGINT' && terminalReachesChild()) return;
    child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  child.on('error', (error) => {
    say(`cannot run ${command}: ${error.message}`);
    process.exitCode = 127;
  });
  child.on('exit', (code, signal) => {
    for (const name of signals) process.off(name, forward);
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code;
  });
}

/** Ctrl-C goes to the whole foreground group of a terminal: the child has it already, and once is enough. */
function terminalReachesChild() {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5]; // pgrp and tpgid, proc(5)
  } catch {
    return process.stdin.isTTY === true;
  }
}
