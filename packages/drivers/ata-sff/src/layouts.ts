import type { RegisterLayout } from '@ring3/core';
import type { AtaOptions } from './options.ts';
import type { SpaceSizes } from './quiesce.ts';
import { busMasterLayout } from './registers.ts';
import { commandLayout, placeControl } from './task-file-bus.ts';

/** The registers by name, for tools. A control block inside the command space is shown there. */
export function layoutsOf(
  sizes: SpaceSizes,
  options: AtaOptions,
): Record<'command0' | 'control0' | 'command1' | 'control1' | 'busMaster', RegisterLayout> {
  const command = (channel: 0 | 1) => {
    const place = placeControl(sizes[`control${channel}`], options);
    const control = place?.space === 'command' ? place.layout : {};
    return { ...commandLayout(options.registerStride), ...control };
  };
  const control = (channel: 0 | 1) => placeControl(sizes[`control${channel}`] ?? 1, options)?.layout ?? {};
  return {
    command0: command(0),
    control0: control(0),
    command1: command(1),
    control1: control(1),
    busMaster: busMasterBothChannels(),
  };
}

function busMasterBothChannels(): RegisterLayout {
  const entries = ([0, 1] as const).flatMap((channel) =>
    Object.entries(busMasterLayout(channel)).map(([name, register]) => [`${name}${channel}`, register]),
  );
  return Object.fromEntries(entries);
}
