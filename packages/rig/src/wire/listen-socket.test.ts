import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceError, ServiceDirectory, SILENT } from '@ring3/core';
import { MemoryDisk } from '@ring3/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectServices } from './connect-services.ts';
import { serveServices } from './serve-services.ts';
import { serveDisk, socketFolder } from './testing/served.ts';
import { WIRES } from './wires.ts';

describe('the socket of a device host', () => {
  const serve = async (socket: string) => {
    const options = { socket, device: 'd', generation: 1, wires: WIRES, log: SILENT };
    const server = await serveServices(new ServiceDirectory(), options);
    onTestFinished(() => server.close('the test is over'));
    return server;
  };

  it('takes the place of one that a dead process left', async () => {
    const path = join(await socketFolder(), 'host.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(spawnSync(process.execPath, ['-e', script]).signal).toBe('SIGKILL');
    await expect(connectServices(path, { wires: WIRES, log: SILENT })).rejects.toMatchObject({ code: 'gone' });
    await serve(path);
    await connectServices(path, { wires: WIRES, log: SILENT }).then((connection) => connection.close());
  });

  it('leaves one alone that is alive', async () => {
    const { path } = await serveDisk(new MemoryDisk());
    await expect(serve(path)).rejects.toThrow(
      new DeviceError('busy', `another process serves on ${path}: stop it first`),
    );
    await connectServices(path, { wires: WIRES, log: SILENT }).then((connection) => connection.close());
  });

  it('leaves a file alone that is no socket', async () => {
    const path = join(await socketFolder(), 'host.sock');
    await writeFile(path, 'precious');
    await expect(serve(path)).rejects.toMatchObject({ code: 'busy' });
  });

  it('says what is wrong with a path', async () => {
    const folder = await socketFolder();
    await expect(serve(join(folder, 'no/such.sock'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(serve(join(folder, 'x'.repeat(120)))).rejects.toMatchObject({ code: 'config' });
    const refused = connectServices(join(folder, 'nobody.sock'), { wires: WIRES, log: SILENT });
    await expect(refused).rejects.toMatchObject({ code: 'not-found' });
  });
});
