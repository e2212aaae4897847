import { parseArgs } from 'node:util';
import type { RunOptions } from './run.ts';
import { VmError } from './vm-error.ts';

export const usage = `pnpm vm [OPTIONS] -- COMMAND [ARGUMENT...]

Boots a Debian kernel under QEMU and runs COMMAND in it, on the files of this machine, which it cannot change.
The folder "$RING3_VM_SHARE" and /tmp can be written; both are gone afterwards.

  --device NAME     plugs a device in, as QEMU's -device does; again for more: edu, sdhci-pci, pci-testdev.
                    pci-serial: its cable ends at /dev/virtio-ports/uart0; pci-serial-echo: at an echo
  --module NAME     loads a kernel module besides uio_pci_generic; again for more
  --memory MIB      memory of the machine (default 1024)
  --timeout S       stops the machine after so many seconds (default 120; 3600 in a terminal)
  --append WORDS    more words for the kernel's command line
  --qemu ARGUMENT   one more argument for QEMU; again for more
  --verbose         shows the kernel's messages

RING3_VM_ACCEL=kvm asks for KVM instead of emulation.
`;

/**
 * Reads the command line of `pnpm vm`.
 * @throws VmError that says what is wrong with it.
 */
export function parseArguments(words: readonly string[]): RunOptions | 'help' {
  const { options, command } = split(words);
  const values = readOptions(options);
  if (values.help === true) return 'help';
  if (command.length === 0) throw new VmError(`There is no command to run.\n\n${usage}`, { wrongUsage: true });
  return {
    command,
    devices: values.device ?? [],
    modules: ['uio_pci_generic', ...(values.module ?? [])],
    memoryMib: positive('--memory', values.memory ?? '1024'),
    timeoutSeconds: positive('--timeout', values.timeout ?? (process.stdin.isTTY ? '3600' : '120')),
    append: values.append ?? [],
    qemuArguments: values.qemu ?? [],
    verbose: values.verbose ?? false,
  };
}

const flags = new Set(['--verbose', '--help']);

/** Package managers differ in whether they pass "--" on, so the first word that is no option starts the command. */
function split(words: readonly string[]) {
  let index = 0;
  while (index < words.length) {
    const word = words[index] ?? '';
    if (word === '--') return { options: words.slice(0, index), command: words.slice(index + 1) };
    if (!word.startsWith('-')) break;
    index += word.includes('=') || flags.has(word) ? 1 : 2;
  }
  return { options: words.slice(0, index), command: words.slice(index) };
}

function readOptions(words: readonly string[]) {
  const text = { type: 'string' } as const;
  const texts = { type: 'string', multiple: true } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...words],
      options: {
        device: texts,
        module: texts,
        append: texts,
        qemu: texts,
        memory: text,
        timeout: text,
        verbose: flag,
        help: flag,
      },
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new VmError(`${reason}\n\n${usage}`, { cause: error, wrongUsage: true });
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new VmError(`${name} takes a whole number above 0, not "${text}".`, { wrongUsage: true });
}
