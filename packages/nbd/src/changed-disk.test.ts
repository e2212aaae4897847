import { describe, expect, test } from 'vitest';
import { serve } from './testing/serve.ts';

const READ = 0;
const ESHUTDOWN = 108;

describe('a disk that changes while it is exported', () => {
  test.each([
    [{ blockCount: 4096 }, '4096 blocks of 512, serial "T1"'],
    [{ blockCount: 1024 }, '1024 blocks of 512, serial "T1"'],
    [{ serial: 'T2' }, '2048 blocks of 512, serial "T2"'],
  ])('is not served any more: %o', async (change, words) => {
    const { server, disk, connect, clock } = await serve();
    const [asking, idle] = [await connect(), await connect()];
    await asking.enter({ structured: true });
    await idle.enter();
    disk.info = { ...disk.info, ...change };
    asking.request({ type: READ, length: 512 });
    const { payload } = await asking.chunk();
    expect([payload.readUInt32BE(0), payload.toString('utf8', 6)]).toEqual([
      ESHUTDOWN,
      `the disk has changed: it had 2048 blocks of 512, serial "T1", and has ${words}`,
    ]);
    await Promise.all([asking.ended, idle.ended]);
    expect(disk.calls).toEqual([]);
    expect(server.statistics.exports).toEqual({});
    await clock.advance(1);
  });
});
