/** Where a server listens, as clients need it. */
export type Endpoint = { readonly unix: string } | { readonly host: string; readonly port: number };

/**
 * The URI by which clients reach an export, or the default export if there is no name.
 * Source: doc/uri.md of NetworkBlockDevice/nbd, "NBD URI components".
 */
export function nbdUri(endpoint: Endpoint, exportName = ''): string {
  const path = encodeURIComponent(exportName).replaceAll('%2F', '/');
  if ('unix' in endpoint) {
    return `nbd+unix:///${path}?socket=${encodeURIComponent(endpoint.unix).replaceAll('%2F', '/')}`;
  }
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `nbd://${host}:${endpoint.port}/${path}`;
}
