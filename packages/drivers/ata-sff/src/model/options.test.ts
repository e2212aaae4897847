import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type ControllerOptionsInput, optionsSchema } from './options.ts';

const complaints = (options: unknown) =>
  optionsSchema.safeParse(options).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('the options', () => {
  it('are one disk in memory when nothing is said', () => {
    const { disks, mode } = optionsSchema.parse({});
    expect(mode).toBe('compatibility');
    expect(disks).toMatchObject([{ channel: 0, position: 'master', lba48: true, multiple: 16, writeCache: true }]);
  });

  it('take an image as the short form of a primary master', () => {
    const { disks } = optionsSchema.parse({ image: 'disk.img', readOnly: true });
    expect(disks).toMatchObject([{ channel: 0, position: 'master', image: 'disk.img', readOnly: true }]);
  });

  it('give every disk defects of its own', () => {
    const { disks } = optionsSchema.parse({ disks: [{}, { channel: 1 }] });
    expect(disks[0]?.defects).not.toBe(disks[1]?.defects);
    expect(disks[0]?.defects.commands).not.toBe(disks[1]?.defects.commands);
  });

  it('have a JSON schema for the editor', () => {
    const schema = z.toJSONSchema(optionsSchema, { target: 'draft-7', io: 'input' });
    expect(Object.keys(schema.properties ?? {})).toEqual(expect.arrayContaining(['mode', 'disks', 'image']));
  });

  const wrong: [string, ControllerOptionsInput, string][] = [
    ['two disks at one place', { disks: [{}, {}] }, 'disks.1.position: there is a disk at channel 0 master already'],
    ['a list and the short form', { disks: [{}], image: 'a' }, 'image: describes a single disk: put it into disks'],
    ['two sizes', { sizeMiB: 1, sectors: 1 }, 'sectors: give sizeMiB or sectors, not both'],
    ['a broken size', { sizeMiB: 0.0001 }, 'sizeMiB: not a whole number of sectors'],
    ['an image to be made, without a size', { image: 'a', create: true }, 'create: how large?'],
    ['an image to be made, without a name', { create: true, sizeMiB: 1 }, 'create: creates an image file'],
    [
      'an image to be made, but not written',
      { image: 'a', create: true, sizeMiB: 1, readOnly: true },
      'cannot be readOnly',
    ],
    ['too many sectors for 28 bits', { disks: [{ sectors: 2 ** 28, lba48: false }] }, 'disks.0.lba48: more than'],
    ['a block size that is no power of 2', { disks: [{ multiple: 12 }] }, 'disks.0.multiple: a power of 2'],
    [
      'a control register on the task file',
      { bus: { kind: 'memory', start: 0, stride: 2, controlOffset: 14 } },
      'bus.controlOffset: the task file takes the first 16 bytes',
    ],
    ['a stride that is no power of 2', { bus: { kind: 'memory', start: 0, stride: 3 } }, 'bus.stride: a power of 2'],
    [
      'a second channel on a local bus',
      { bus: { kind: 'memory', start: 0 }, disks: [{ channel: 1 }] },
      'disks.0.channel: a local bus has one channel, 0',
    ],
    ['everything hidden', { disks: [{ sectors: 9, hiddenSectors: 9 }] }, 'disks.0.hiddenSectors: the disk has no more'],
  ];

  it.each(wrong)('refuse %s', (_what, options, complaint) => {
    expect(complaints(options).join('\n')).toContain(complaint);
  });

  it('refuse keys that do not exist and disks that have no place', () => {
    expect(complaints({ imgae: 'a' }).join()).toContain('imgae');
    expect(complaints({ disks: [{}, {}, {}, {}, {}] })).not.toEqual([]);
    expect(complaints({ disks: [{ channel: 2 }] })).not.toEqual([]);
  });
});
