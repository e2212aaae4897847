import { type BlockDeviceInfo, DeviceError, SILENT } from '@ring3/core';
import { blockDeviceConformance, ManualClock, MemoryDisk, seededRandom } from '@ring3/core/testing';
import { describe, expect, it } from 'vitest';
import { ReconnectingDisk } from './reconnecting-disk.ts';
import { FragileHost } from './testing/fragile-host.ts';
import { INFO, SlowDisk } from './testing/slow-disk.ts';

function setUp(info: Partial<BlockDeviceInfo> = {}, journalBytes = 1_000_000) {
  const clock = new ManualClock();
  const disk = new ReconnectingDisk(
    { ...INFO, ...info },
    { name: 'disk0', clock, log: SILENT, patienceUs: 5_000_000, journalBytes },
  );
  const turn = () => clock.advance(0);
  const life = async (other: Partial<BlockDeviceInfo> = {}) => {
    const slow = new SlowDisk({ ...info, ...other });
    void disk.connect(slow, 1);
    await turn();
    return slow;
  };
  const acknowledged = async (slow: SlowDisk, block: number, value: number, fua = false) => {
    const write = disk.write(block, filled(value), { fua });
    await turn();
    slow.take(`write ${block}=${value}${fua ? ' fua' : ''}`).done();
    await write;
  };
  return { clock, disk, turn, life, acknowledged };
}

const filled = (value: number, blocks = 1) => new Uint8Array(512 * blocks).fill(value);

describe('over the death of its host a disk', () => {
  it('writes again what was acknowledged and not flushed, before anything else', async () => {
    const { disk, turn, life, acknowledged } = setUp();
    const first = await life();
    await acknowledged(first, 3, 1);
    await acknowledged(first, 4, 2);
    disk.disconnect('killed', first);
    const read = disk.read(3, filled(0));
    const second = await life();
    expect(second.words).toEqual(['write 3=1', 'write 4=2']);
    second.take('write 3=1').done();
    await turn();
    expect(second.words).toEqual(['write 4=2']);
    second.take('write 4=2').done();
    await turn();
    second.take('read 3').done();
    await read;
  });

  it('forgets what a flush has covered, and nothing that was acknowledged after the flush was issued', async () => {
    const { disk, turn, life, acknowledged } = setUp();
    const first = await life();
    await acknowledged(first, 3, 1);
    const flush = disk.flush();
    await turn();
    const flushing = first.take('flush');
    await acknowledged(first, 4, 2);
    flushing.done();
    await flush;
    disk.disconnect('killed');
    expect((await life()).words).toEqual(['write 4=2']);
  });

  it('repeats reads, writes and flushes that were not answered, writes first and the flush last', async () => {
    const { disk, turn, life } = setUp();
    const first = await life();
    const all = Promise.all([disk.read(1, filled(0)), disk.write(2, filled(9)), disk.flush()]);
    await turn();
    first.lose();
    await turn();
    const second = await life();
    expect(second.words).toEqual(['write 2=9']);
    second.take('write 2=9').done();
    await turn();
    expect(second.words.toSorted()).toEqual(['flush', 'read 1']);
    for (const { done } of second.asked) done();
    await all;
  });

  it('does not count an answer that arrives after the connection was lost', async () => {
    const { disk, turn, life } = setUp();
    const first = await life();
    const write = disk.write(2, filled(9));
    const flush = disk.flush();
    await turn();
    first.take('write 2=9').done();
    first.take('flush').done();
    disk.disconnect('killed', first);
    const second = await life();
    second.take('write 2=9').done();
    await write;
    await turn();
    second.take('flush').done();
    await flush;
  });

  it('does not hide a FUA write under an older one when that is replayed', async () => {
    const { disk, life, acknowledged } = setUp();
    const first = await life();
    await acknowledged(first, 3, 1);
    await acknowledged(first, 4, 2);
    await acknowledged(first, 3, 8, true);
    disk.disconnect('killed');
    expect((await life()).words).toEqual(['write 4=2']);
  });

  it('gives writes that overlap to the device one after the other', async () => {
    const { disk, turn, life } = setUp();
    const first = await life();
    const both = Promise.all([disk.write(2, filled(1, 3)), disk.write(4, filled(2, 3)), disk.write(5, filled(3))]);
    await turn();
    expect(first.words).toEqual(['write 2=1']);
    first.take('write 2=1').done();
    await turn();
    expect(first.words).toEqual(['write 4=2']);
    first.take('write 4=2').done();
    await turn();
    first.take('write 5=3').done();
    await both;
  });

  it('keeps no journal for a disk without a volatile cache', async () => {
    const { disk, turn, life, acknowledged } = setUp({ volatileCache: false });
    await acknowledged(await life(), 3, 1);
    disk.disconnect('killed');
    const second = await life();
    expect(second.words).toEqual([]);
    const read = disk.read(3, filled(0));
    await turn();
    second.take('read 3').done();
    await read;
  });

  it('passes on what the device itself says, and repeats nothing for it', async () => {
    const { disk, turn, life } = setUp();
    const slow = await life();
    const read = disk.read(3, filled(0));
    await turn();
    slow.take('read 3').fail(new DeviceError('gone', 'pulled out'));
    await expect(read).rejects.toMatchObject({ code: 'gone', message: 'pulled out' });
    expect(disk.state).toBe('connected');
  });
});

describe('a trim', () => {
  it('waits for writes to its blocks, and they for it', async () => {
    const { disk, turn, life } = setUp({ trim: true });
    const first = await life();
    const all = Promise.all([disk.write(2, filled(1)), disk.trim(0, 4), disk.write(3, filled(2)), disk.trim(8, 2)]);
    await turn();
    expect(first.words).toEqual(['write 2=1', 'trim 8+2']);
    first.take('write 2=1').done();
    await turn();
    first.take('trim 8+2').done();
    await turn();
    expect(first.words).toEqual(['trim 0+4']);
    first.take('trim 0+4').done();
    await turn();
    first.take('write 3=2').done();
    await all;
  });

  it('that was cut off is repeated before what was written after it, and replays nothing', async () => {
    const { disk, turn, life, acknowledged } = setUp({ trim: true });
    const first = await life();
    await acknowledged(first, 3, 1);
    const trim = disk.trim(3, 2);
    const write = disk.write(4, filled(2));
    await turn();
    expect(first.words).toEqual(['trim 3+2']);
    first.lose();
    await turn();
    const second = await life();
    second.take('write 3=1').done();
    await turn();
    expect(second.words).toEqual(['trim 3+2']);
    second.take('trim 3+2').done();
    await trim;
    await turn();
    second.take('write 4=2').done();
    await write;
    disk.disconnect('killed');
    expect((await life()).words).toEqual(['write 4=2']);
  });

  it('that was acknowledged is never repeated over what was written after it', async () => {
    const { disk, turn, life, acknowledged } = setUp({ trim: true });
    const first = await life();
    const trim = disk.trim(3, 1);
    await turn();
    first.take('trim 3+1').done();
    await trim;
    await acknowledged(first, 3, 1, true);
    disk.disconnect('killed');
    expect((await life()).words).toEqual([]);
  });

  it('does nothing when the disk has come back without it', async () => {
    const { disk, life } = setUp({ trim: true });
    await life();
    disk.disconnect('killed');
    const second = await life({ trim: false });
    await disk.trim(3, 1);
    expect([disk.state, second.words]).toEqual(['connected', []]);
  });

  it.each([{}, { trim: true, readOnly: true }])('is refused by a disk that is %o', async (info) => {
    const { disk, life } = setUp(info);
    await life();
    await expect(disk.trim(0, 1)).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('when the journal is full', () => {
  it('flushes by itself when it is half full, while writes go on', async () => {
    const { disk, turn, life, acknowledged } = setUp({}, 4 * 640);
    const first = await life();
    for (const block of [1, 2, 3]) await acknowledged(first, block, block);
    expect(first.words).toEqual(['flush']);
    first.take('flush').done();
    await turn();
    expect(disk.statistics['journalBytes']).toBe(0);
  });

  it('acknowledges no more than it can remember until the flush is done', async () => {
    const { disk, turn, life, acknowledged } = setUp({}, 4 * 640);
    const first = await life();
    for (const block of [1, 2, 3]) await acknowledged(first, block, block);
    const flushing = first.take('flush');
    await acknowledged(first, 4, 4);
    let answered = false;
    const fifth = disk.write(5, filled(5)).then(() => {
      answered = true;
    });
    await turn();
    first.take('write 5=5').done();
    await turn();
    expect(answered).toBe(false);
    flushing.done();
    await fifth;
    disk.disconnect('killed');
    expect((await life()).words).toEqual(['write 4=4', 'write 5=5']);
  });

  it('fails the write, not silently, when that flush fails', async () => {
    const { disk, turn, life, acknowledged } = setUp({}, 4 * 640);
    const first = await life();
    for (const block of [1, 2, 3]) await acknowledged(first, block, block);
    const flushing = first.take('flush');
    await acknowledged(first, 4, 4);
    const fifth = disk.write(5, filled(5));
    await turn();
    first.take('write 5=5').done();
    await turn();
    flushing.fail(new DeviceError('media', 'no spare sectors'));
    await expect(fifth).rejects.toMatchObject({ code: 'media' });
  });

  it('writes with FUA what would fill it by itself', async () => {
    const { disk, turn, life } = setUp({}, 4 * 640);
    const first = await life();
    const write = disk.write(1, filled(7, 2));
    await turn();
    first.take('write 1=7 fua').done();
    await write;
    expect(disk.statistics['journalBytes']).toBe(0);
  });
});

describe('when it cannot go on', () => {
  it('fails with "gone" what waits when patience ends, and serves again when the host comes back', async () => {
    const { clock, disk, life, acknowledged } = setUp();
    const first = await life();
    await acknowledged(first, 3, 1);
    disk.disconnect('killed by SIGKILL');
    const read = disk.read(3, filled(0));
    const refused = expect(read).rejects.toMatchObject({
      code: 'gone',
      message: 'disk0: its driver is away (killed by SIGKILL) and did not come back within 5 s',
    });
    await clock.advance(5_000_000);
    await refused;
    await expect(disk.flush()).rejects.toMatchObject({ code: 'gone' });
    const second = await life();
    second.take('write 3=1').done();
    await clock.advance(0);
    expect(disk.state).toBe('connected');
  });

  it('never lets go of a buffer that the device may still use', async () => {
    const { clock, disk, life } = setUp();
    const slow = await life();
    let settled = false;
    const write = disk.write(3, filled(1)).finally(() => {
      settled = true;
    });
    await clock.advance(60_000_000);
    disk.withdraw('spun down');
    await clock.advance(60_000_000);
    expect(settled).toBe(false);
    slow.take('write 3=1').fail(new DeviceError('gone', 'spun down'));
    await expect(write).rejects.toMatchObject({ code: 'gone' });
  });

  it.each([
    { serial: 'B2' },
    { model: 'ACME 41' },
    { blockCount: 65 },
    { readOnly: true },
    { volatileCache: false },
    { maxTransferBlocks: 8 },
  ])('refuses another disk: %o', async (other) => {
    const { disk, life, acknowledged } = setUp();
    await acknowledged(await life(), 3, 1);
    disk.disconnect('killed');
    const read = disk.read(3, filled(0));
    const refused = expect(read).rejects.toMatchObject({ code: 'gone' });
    expect((await life(other)).words).toEqual([]);
    await refused;
    const [[key, value]] = Object.entries(other) as [[keyof BlockDeviceInfo, unknown]];
    expect(await disk.withdrawn).toContain(`${key} was ${JSON.stringify(INFO[key])} and is ${JSON.stringify(value)}`);
    await life();
    await expect(disk.flush()).rejects.toMatchObject({ code: 'gone' });
  });

  it('fails with the reason of the driver when that takes the disk offline', async () => {
    const { disk, turn, life, acknowledged } = setUp();
    const slow = await life();
    await acknowledged(slow, 1, 1);
    const read = disk.read(3, filled(0));
    await turn();
    disk.withdraw('the disk does not spin up');
    slow.lose();
    await expect(read).rejects.toMatchObject({ code: 'gone', message: 'the disk does not spin up' });
    await expect(disk.write(1, filled(1))).rejects.toMatchObject({ code: 'gone' });
    expect(await disk.withdrawn).toBe('the disk does not spin up');
  });
});

describe('when acknowledged writes cannot be restored', () => {
  async function doubtful() {
    const fixture = setUp();
    const { disk, life, acknowledged, turn } = fixture;
    await acknowledged(await life(), 3, 1);
    disk.disconnect('killed');
    const second = await life();
    second.take('write 3=1').fail(new DeviceError('media', 'bad sector'));
    await turn();
    return { ...fixture, second };
  }

  it('fails flushes and reads of them, and says why', async () => {
    const { disk, turn, second } = await doubtful();
    const words = 'disk0: 1 blocks at 3 were written and acknowledged, but could not be restored';
    await expect(disk.flush()).rejects.toMatchObject({ code: 'media', message: expect.stringContaining(words) });
    await expect(disk.read(2, filled(0, 2))).rejects.toMatchObject({ code: 'media', details: { block: 3 } });
    const other = disk.read(4, filled(0));
    await turn();
    second.take('read 4').done();
    await other;
  });

  it('reads them again once they are written anew, while flushes go on to fail', async () => {
    const { disk, turn, second, acknowledged } = await doubtful();
    await acknowledged(second, 3, 5);
    const read = disk.read(3, filled(0));
    await turn();
    second.take('read 3').done();
    await read;
    await expect(disk.flush()).rejects.toMatchObject({ code: 'media' });
  });

  it('is sound again when the next life of the driver can restore them', async () => {
    const { disk, turn, life } = await doubtful();
    disk.disconnect('killed');
    const third = await life();
    third.take('write 3=1').done();
    await turn();
    const flush = disk.flush();
    await turn();
    third.take('flush').done();
    await flush;
  });
});

blockDeviceConformance({
  name: 'a reconnecting disk whose host is killed at each power cut',
  cannot: { close: 'its end is told as gone, with the reason of the driver' },
  start: async () => {
    const clock = new ManualClock();
    const host = new FragileHost(clock, seededRandom(1), { trim: true });
    const options = { name: 'disk0', clock, log: SILENT };
    const disk = new ReconnectingDisk(host.disk.info, options);
    void disk.connect(host.start(), 1);
    return {
      disk,
      settle: clock.settle.bind(clock),
      powerCut: async () => {
        host.kill();
        void disk.connect(host.start(), 2);
      },
      readOnlyDisk: async () => {
        const readOnly = new MemoryDisk({ clock, readOnly: true, trim: true });
        const reconnecting = new ReconnectingDisk(readOnly.info, options);
        void reconnecting.connect(readOnly, 1);
        return reconnecting;
      },
      stop: async () => {},
    };
  },
});
