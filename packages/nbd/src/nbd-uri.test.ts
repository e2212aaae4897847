import { describe, expect, test } from 'vitest';
import { nbdUri } from './nbd-uri.ts';

describe('the URI of an export', () => {
  test.each([
    [{ unix: '/run/ring3/nbd.sock' }, 'disk0', 'nbd+unix:///disk0?socket=/run/ring3/nbd.sock'],
    [{ unix: '/tmp/a b&c.sock' }, '', 'nbd+unix:///?socket=/tmp/a%20b%26c.sock'],
    [{ host: '127.0.0.1', port: 10809 }, 'sff/disk 0?', 'nbd://127.0.0.1:10809/sff/disk%200%3F'],
    [{ host: '::1', port: 4711 }, '', 'nbd://[::1]:4711/'],
  ])('%j %j is %s', (endpoint, name, uri) => {
    expect(nbdUri(endpoint, name)).toBe(uri);
    expect(decodeURIComponent(new URL(uri).pathname)).toBe(`/${name}`);
  });
});
