import { join } from 'node:path';
import { claimMachine } from '@ring3/linux';
import { describe, expect, it, onTestFinished } from 'vitest';
import { machineFolder } from './testing/machine-folder.ts';
import { ring3With } from './testing/runner-process.ts';

describe.skipIf(process.platform !== 'linux')('ring3 claims', () => {
  it("prints the kernel's tree with the claims of live processes in it", async () => {
    const { root, environment } = machineFolder();
    const directory = join(root, 'claims');
    const memory = { kind: 'memory', start: 0xfea00000n, sizeBytes: 0x1000 } as const;
    const ranges = [memory, { kind: 'port', start: 0xc00n, sizeBytes: 8 } as const];
    const held = [
      claimMachine({ directory, holder: 'a.yaml: edu0', device: '0000:00:04.0', ranges }),
      claimMachine({ directory, holder: 'a.yaml: irq0', device: 'button', ranges: [] }),
    ];
    onTestFinished(() => {
      for (const claim of held) claim.release();
    });
    const { status, stdout, stderr } = await ring3With(environment, 'claims');
    expect(stdout.split('\n')).toEqual([
      'memory',
      '  fea00000-feafffff : 0000:00:04.0',
      `    fea00000-fea00fff : ring3 a.yaml: edu0, process ${process.pid}, device 0000:00:04.0`,
      'I/O ports',
      '  0000-0cf7 : PCI Bus 0000:00',
      `    0c00-0c07 : ring3 a.yaml: edu0, process ${process.pid}, device 0000:00:04.0`,
      'devices without addresses',
      `  ring3 a.yaml: irq0, process ${process.pid}, device button`,
      '',
    ]);
    expect([status, stderr]).toEqual([0, '']);
  });

  it('tells programs everything when asked, and whether the kernel hides addresses', async () => {
    const { environment } = machineFolder();
    const { stdout, stderr } = await ring3With(environment, 'claims', '--all', '--json');
    const found = JSON.parse(stdout);
    expect(found.memory[0]).toEqual({ start: '0x1000', end: '0x9fbff', name: 'System RAM', children: [] });
    expect([found.devices, found.addressesHidden, stderr]).toEqual([[], false, '']);
  });

  it('says on stderr that there is no claim, where it looked, and what it cannot see', async () => {
    const { environment } = machineFolder();
    const nothing = join(environment['RING3_CLAIMS'] ?? '', 'nowhere');
    const blind = { ...environment, RING3_ROOTS: '/nowhere', RING3_CLAIMS: nothing };
    const { status, stdout, stderr } = await ring3With(blind, 'claims');
    expect([status, stdout]).toEqual([0, '']);
    expect(stderr).toContain(`no ring3 process has claimed a device (looked in ${nothing})`);
    expect(stderr).toContain('what it holds itself is unknown, not free');
  });
});
