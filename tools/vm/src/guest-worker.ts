// Runs inside the machine: a worker of vitest whose messages come over a virtio port, as descriptors 4 (in) and 3 (out).
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { init, runBaseTests, setupEnvironment } from 'vitest/worker';
import { encodeFrame, FrameReader } from './frames.ts';

const frames = new FrameReader();
const listeners = new Set<(message: unknown) => void>();
const exit = process.exit.bind(process);

new Socket({ fd: 4 })
  .on('data', (chunk) => {
    for (const message of frames.push(chunk)) for (const listener of listeners) listener(message);
  })
  .on('end', () => exit(0));

init({
  post: (message) => writeAll(encodeFrame(message)),
  on: (listener) => listeners.add(listener),
  off: (listener) => listeners.delete(listener),
  setup: setupEnvironment,
  runTests: (state, traces) => runBaseTests('run', state, traces),
  collectTests: (state, traces) => runBaseTests('collect', state, traces),
});

function writeAll(bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(3, bytes, done);
}
