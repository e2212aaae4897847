import { runGuestSuite } from '../src/guest-suite.ts';

await runGuestSuite({ files: ['tools/vm/src/machine.guest.test.ts'], devices: ['edu'] });
