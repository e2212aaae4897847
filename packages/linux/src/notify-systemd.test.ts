import { closeSync, mkdtempSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { notifySystemd } from './notify-systemd.ts';
import { datagramReceiver } from './test-sockets.ts';

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0).reverse()) release();
});

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'ring3-notify-'));
  releases.push(() => rmSync(path, { recursive: true }));
  return path;
}

/** A real socket at the bytes of a `sun_path`, as the supervisor has one. */
function receiver(path: Buffer) {
  const fd = datagramReceiver(path);
  releases.push(() => closeSync(fd));
  return () => {
    const message = Buffer.alloc(200);
    return message.toString('utf8', 0, readSync(fd, message));
  };
}

describe.skipIf(process.platform !== 'linux')('notifySystemd', () => {
  it('sends the state to the socket that the environment names', () => {
    const path = join(folder(), 'notify');
    const receive = receiver(Buffer.from(`${path}\0`));
    expect(notifySystemd('READY=1\nSTATUS=2 disks, 0 µs', { NOTIFY_SOCKET: path })).toBe(true);
    expect(notifySystemd('WATCHDOG=1', { NOTIFY_SOCKET: path })).toBe(true);
    expect(receive()).toBe('READY=1\nSTATUS=2 disks, 0 µs');
    expect(receive()).toBe('WATCHDOG=1');
  });

  it('knows the abstract name space', () => {
    const name = `ring3-test-${process.pid}`;
    const receive = receiver(Buffer.from(`\0${name}`));
    expect(notifySystemd('STOPPING=1', { NOTIFY_SOCKET: `@${name}` })).toBe(true);
    expect(receive()).toBe('STOPPING=1');
  });

  it('does nothing where nobody wants to know', () => {
    expect(notifySystemd('READY=1', {})).toBe(false);
    expect(notifySystemd('READY=1', { NOTIFY_SOCKET: '' })).toBe(false);
  });

  it('says what is wrong with the socket', () => {
    const send = (path: string) => () => notifySystemd('READY=1', { NOTIFY_SOCKET: path });
    const nowhere = join(folder(), 'nobody');
    expect(send(nowhere)).toThrow(`sendto ${nowhere}: ENOENT`);
    expect(send('relative')).toThrow('sendto relative: EINVAL');
    expect(send(`/${'x'.repeat(107)}`)).toThrow(/^sendto \/x+: EINVAL$/);
    expect(send(`/${'x'.repeat(106)}`)).toThrow(/^sendto \/x+: ENOENT$/); // 107 and the 0: the longest there is.
  });

  it('does not wait for a receiver that does not read', () => {
    const path = join(folder(), 'full');
    receiver(Buffer.from(`${path}\0`));
    const fill = () => {
      for (let count = 0; count < 100_000; count++) notifySystemd('WATCHDOG=1', { NOTIFY_SOCKET: path });
    };
    expect(fill).toThrow(`sendto ${path}: EAGAIN`);
  });
});
