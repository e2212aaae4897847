import { describe, expect, it } from 'vitest';
import { parseVersionRange, versionMatches } from './version-range.ts';

describe('a range of versions', () => {
  it.each([
    ['>=1.2 <2', '1.2', true],
    ['>=1.2 <2', '1.10.3', true],
    ['>=1.2 <2', '1.1.9', false],
    ['>=1.2 <2', '2', false],
    ['>=1.2 <2', '2.0', false],
    ['>= 1.2', '1.2.0', true],
    ['1.2', '1.2.0', true],
    ['=1.2', '1.2.1', false],
    ['>0.01.0', '0.1', false],
    ['>0.01.0', '0.2', true],
    ['<=0.01.0', '0.01.0', true],
    ['>=1', 'v1.0', true],
  ])('%s and %s: %s', (range, version, matches) => expect(versionMatches(range, version, 'fpga')).toBe(matches));

  it.each(['devicetree', '', '1.2-rc1', 'git 5'])('cannot be compared with "%s", and says so', (version) => {
    expect(() => versionMatches('>=1', version, 'fpga')).toThrow(
      expect.objectContaining({ code: 'config', message: expect.stringContaining(`"${version}"`) }),
    );
  });

  it.each(['', 'new', '>=', '~1.2', '>=1.x', '1 || 2'])('"%s" is none', (range) => {
    expect(() => parseVersionRange(range)).toThrow(RangeError);
  });
});
