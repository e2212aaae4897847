import qemuBackend from '@ring3/backend-qemu';
import { needsTools } from '@ring3/core/testing';
import { beforeEach } from 'vitest';
import { eduSuite } from './testing/edu-suite.ts';

// The device model that other people wrote: whether the driver is right, or only our own model of the device.

beforeEach(needsTools({ 'qemu-system-x86_64': 'qemu-system-x86', setpriv: 'util-linux' }));

eduSuite({
  name: "QEMU's edu",
  module: qemuBackend,
  selector: { machine: 'pc', devices: ['edu'] },
});
