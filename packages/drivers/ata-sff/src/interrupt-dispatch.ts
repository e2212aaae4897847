import type { InterruptSource, Scope, Verdict } from '@ring3/core';
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
    const detach = source.attach(() => askChannels(channels));
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

/**
 * Those that wait for an interrupt first; of several only those whose bus master says that it was theirs, if there is one that
 * says so. The others are touched only when none of them wanted it.
 */
function askChannels(channels: readonly Channel[]): Verdict {
  const waiting = channels.filter((channel) => channel.awaitsInterrupt);
  const marked = channels.length > 1 ? waiting.filter((channel) => channel.takeInterruptBit()) : [];
  let verdict: Verdict = 'not-mine';
  for (const channel of marked.length > 0 ? marked : waiting)
    if (channel.handleInterrupt() === 'handled') verdict = 'handled';
  if (verdict === 'handled') return verdict;
  for (const channel of channels) if (!channel.awaitsInterrupt) channel.clearInterrupt();
  return 'not-mine';
}
