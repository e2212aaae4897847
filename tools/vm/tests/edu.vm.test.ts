import { runGuestSuite } from '../src/guest-suite.ts';

await runGuestSuite({
  files: ['packages/drivers/edu/src/edu.guest.test.ts'],
  devices: ['edu', 'edu', 'sdhci-pci', 'pci-testdev', 'pci-serial', 'pci-serial-echo'],
});
