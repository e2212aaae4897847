import { expect, it } from 'vitest';
import type { RunningRig } from './running-rig.ts';
import { demoScreen } from './screen.ts';

const rig: Pick<RunningRig, 'devices' | 'exports'> = {
  devices: () => [
    {
      name: 'ata0',
      driver: 'ata-sff',
      backend: 'sim',
      state: 'running',
      where: 'I/O ports 0x1f0-0x1f7; IRQ 14',
      simulated: true,
    },
  ],
  exports: () => [
    { service: 'ata0/disk0', uri: 'nbd+unix:///demo?socket=/run/demo.sock', what: '16 MiB', simulated: true },
  ],
};

it('says what runs, where, at which address, and what to type next', () => {
  const screen = demoScreen('demo', rig, { path: '', ownImage: false });
  expect(screen).toContain('device  ata0: driver ata-sff on sim, simulated hardware');
  expect(screen).toContain('I/O ports 0x1f0-0x1f7; IRQ 14');
  expect(screen.match(/^ {2}(nbdinfo|nbdcopy|qemu-io) /gm)).toHaveLength(3);
  expect(screen).toContain('nbdinfo, nbdcopy, qemu-io not found: sudo apt install libnbd-bin qemu-utils');
});

it('proposes nothing that writes to an image of the person', () => {
  expect(demoScreen('demo', rig, { path: '', ownImage: false })).toContain('write');
  expect(demoScreen('demo', rig, { path: '', ownImage: true })).not.toContain('write');
});
