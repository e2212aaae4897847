/** What the bundled runner brings with it; everything else is found by name or path from the configuration. */
export const BUILTINS = {
  drivers: {
    'ata-sff': () => import('@ring3/driver-ata-sff'),
    edu: () => import('@ring3/driver-edu'),
    'uart-16550': () => import('@ring3/driver-uart-16550'),
  },
  models: {
    'ata-sff': () => import('@ring3/driver-ata-sff/model'),
    edu: () => import('@ring3/driver-edu/model'),
    'uart-16550': () => import('@ring3/driver-uart-16550/model'),
  },
  backends: {
    sim: () => import('@ring3/backend-sim'),
    uio: () => import('@ring3/backend-uio'),
    devmem: () => import('@ring3/backend-devmem'),
    qemu: () => import('@ring3/backend-qemu'),
  },
  exporters: {
    nbd: () => import('./exporters/nbd.ts'),
    serial: () => import('./exporters/serial.ts'),
  },
} as const;
