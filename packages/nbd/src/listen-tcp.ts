import { BlockList, isIPv6, type Server } from 'node:net';
import { DeviceError } from '@ring3/core';
import { errorCode, listening } from './listening.ts';

/** A TCP port. */
export interface TcpAddress {
  /** A name or an address of the loopback interface: `127.0.0.1`, `::1`, `localhost`. */
  readonly host: string;
  /** 0 takes any that is free; NBD's own is 10809. */
  readonly port: number;
  /** Allows other interfaces too: everybody who reaches the port can then read and write every export. */
  readonly allowRemote?: boolean;
}

/**
 * Listens on a TCP port and returns where.
 * @throws DeviceError `config` for an address that is not of the loopback interface, `not-found` for an unknown name,
 * `busy`, `permission`.
 */
export async function listenTcp(server: Server, address: TcpAddress): Promise<{ host: string; port: number }> {
  const host = await resolveName(address.host);
  if (!isLoopback(host) && address.allowRemote !== true) {
    throw new DeviceError(
      'config',
      `${address.host} (${host}) is not the loopback interface, and NBD here has neither passwords nor encryption: ` +
        'listen on 127.0.0.1 and tunnel through ssh, put nbdkit with TLS before it, or set allowRemote',
    );
  }
  await listening(server, `${host} port ${address.port}`, () => server.listen({ host, port: address.port }));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new DeviceError('protocol', `no TCP address: ${bound}`);
  return { host, port: bound.port };
}

async function resolveName(host: string): Promise<string> {
  try {
    const { lookup } = await import('node:dns/promises');
    return (await lookup(host)).address;
  } catch (cause) {
    throw new DeviceError('not-found', `the host name ${host} is not known (${errorCode(cause)})`, { cause });
  }
}

function isLoopback(address: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8);
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
