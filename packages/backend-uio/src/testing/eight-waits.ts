import { openUioEvents } from '../interrupts/uio-events.ts';

// eight-waits.ts NODE exit|close: waits eight times at once on a node, says so, and ends as it is told.

const [node = '', how] = process.argv.slice(2);
const waits = Array.from({ length: 8 }, () => {
  const events = openUioEvents(node);
  return { events, watch: events.watch(() => events.read()) };
});
process.stdout.write('waiting\n', () => {
  if (how === 'exit') process.exit(7);
  for (const { watch, events } of waits) {
    watch.close();
    events.close();
  }
});
