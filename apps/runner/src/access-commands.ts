import type { Command } from 'commander';

/** Adds the commands that reach into a device: `peek`, `poke`, `dump`, `watch`, `irq`, `bind`, `unbind`. */
export function addAccessCommands(ring3: Command): void {
  onTarget(ring3.command('peek'))
    .description('read a register: each word once, exactly as wide as asked')
    .option('--count <n>', 'so many words, at rising addresses')
    .action(async (target: string, options) => (await import('./commands/peek.ts')).peek(target, options));
  onTarget(ring3.command('poke'))
    .argument('<value...>', 'what to write; several go to rising addresses')
    .description('write a register; nothing is read')
    .action(async (target: string, values: string[], options) =>
      (await import('./commands/poke.ts')).poke(target, values, options),
    );
  onTarget(ring3.command('dump'))
    .argument('<length>', 'bytes')
    .description('read a range of registers, each word once')
    .action(async (target: string, length: string, options) =>
      (await import('./commands/dump.ts')).dump(target, length, options),
    );
  onTarget(ring3.command('watch'))
    .description('read a register again and again, and print it when it has changed')
    .option('--mask <bits>', 'only these bits count')
    .option('--interval <ms>', 'between two reads (default: 100)')
    .option('--until <value>', 'end when the masked value is this one')
    .option('--seconds <n>', 'end after so long; with --until the status is 1 then')
    .action(async (target: string, options) => (await import('./commands/watch.ts')).watch(target, options));
  ring3
    .command('irq')
    .argument('<device>', 'pci:0000:00:04.0, or DEVICE of a configuration')
    .description('count the interrupts of a device that no driver handles')
    .option('--seconds <n>', 'end after so long')
    .option('--count <n>', 'end after so many interrupts')
    .option('--index <n>', 'which interrupt of the device (default: 0)')
    .option('--config <file>', 'the configuration that names DEVICE')
    .option('--shared', "leave the device alone and read the kernel's counter of its line")
    .option('--json', 'for programs')
    .action(async (device: string, options) => (await import('./commands/irq.ts')).irq(device, options));
  addBindingCommands(ring3);
}

function addBindingCommands(ring3: Command): void {
  const words = {
    bind: 'give a PCI function to UIO, so that drivers in user space can have it',
    unbind: 'give a PCI function back to the driver that the kernel chooses',
  };
  for (const action of ['bind', 'unbind'] as const) {
    ring3
      .command(action)
      .argument('<pci>', 'like 0000:00:04.0')
      .description(words[action])
      .option('--driver <name>', 'the UIO driver (default: uio_pci_generic)')
      .option('--dry-run', 'only show what would be written')
      .option('--force', 'also when it is in use')
      .option('--yes', 'ask no questions')
      .option('--json', 'for programs')
      .action(async (pci: string, options) => (await import('./commands/bind.ts')).bind(action, pci, options));
  }
}

function onTarget(command: Command): Command {
  return command
    .argument('<target>', '0x43c00000, port:0x3f8, pci:0000:00:04.0/bar0+0x10, DEVICE.REGISTER or DEVICE.SPACE+0x10')
    .option('--width <bits>', 'of each access: 8, 16, 32 or 64; a register that is named knows its own')
    .option('--config <file>', 'the configuration that names DEVICE')
    .option('--shared', 'also when another ring3 process has claimed the device')
    .option('--yes', 'ask no questions')
    .option('--json', 'for programs');
}
