import type { InterruptSource, Scope } from '@ring3/core';
import type { Channel } from './channel.ts';

/**
 * Owns the interrupt sources: in compatibility mode each channel has one, in native mode both share one, and who owns
 * it asks both.
 */
export function dispatchInterrupt(
  lines: readonly { readonly channel: Channel; readonly source: InterruptSource | undefined }[],
  scope: Scope,
): void {
  const sources = new Set(lines.flatMap(({ source }) => (source === undefined ? [] : [source])));
  for (const source of sources) {
    const channels = lines.filter((line) => line.source === source).map((line) => line.channel);
    const detach = source.attach(() => {
      const verdicts = channels.map((channel) => channel.handleInterrupt());
      return verdicts.includes('handled') ? 'handled' : 'not-mine';
    });
    let attached = true;
    scope.defer(`interrupt ${source.name}`, () => {
      attached = false;
      detach();
    });
    for (const channel of channels) channel.freeze();
    source.enable();
    void source.closed.then((reason) => {
      if (attached) for (const channel of channels) channel.stopInterrupts(reason);
    });
  }
}
