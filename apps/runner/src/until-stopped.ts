/**
 * Calls `look` at once and then every `intervalMs`, until it says that it is done, or somebody stops the command with Ctrl-C
 * or SIGTERM.
 */
export function untilStopped(look: () => boolean, intervalMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearInterval(timer);
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
      resolve();
    };
    const step = () => {
      try {
        if (look()) end();
      } catch (error) {
        reject(error);
        end();
      }
    };
    const timer = setInterval(step, intervalMs);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);
    step();
  });
}
