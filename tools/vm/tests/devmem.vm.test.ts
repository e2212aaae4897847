import { runGuestSuite } from '../src/guest-suite.ts';

await runGuestSuite({
  files: ['packages/backend-devmem/src/devmem.guest.test.ts'],
  devices: ['edu', 'edu', 'sdhci-pci', 'pci-testdev', 'pci-serial', 'pci-serial-echo'],
});
