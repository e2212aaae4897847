import { runGuestSuite } from '../src/guest-suite.ts';

await runGuestSuite({
  files: ['packages/linux/src/ports.guest.test.ts'],
  devices: ['edu', 'edu', 'sdhci-pci', 'pci-testdev', 'pci-serial', 'pci-serial-echo'],
});
