import { isDeviceError } from '@ring3/core';
import { Command, Option } from 'commander';
import { addAccessCommands } from './access-commands.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import type { LogFormat, LogLevel } from './log.ts';
import { DeclinedError, UsageError } from './usage-error.ts';

/** Options that every command has. */
export interface CommonOptions {
  readonly logFormat?: LogFormat;
  readonly logLevel: LogLevel;
}

/** Runs the command line. Each command is loaded when it is asked for: start-up time is counted in milliseconds. */
export async function main(argv: readonly string[]): Promise<void> {
  // Who reads the output may leave (`ring3 schema | head`): no reason to fail, and none to stop serving.
  process.stdout.on('error', () => {});
  try {
    await program().parseAsync(argv);
  } catch (error) {
    if (isDeviceError(error) || error instanceof UsageError || error instanceof DeclinedError) {
      process.stderr.write(`${error.message}\n`);
    } else process.stderr.write(`ring3: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

function program(): Command {
  const ring3 = new Command('ring3')
    .description('Runs Linux device drivers in user space.')
    .showHelpAfterError('(ring3 --help shows what there is)')
    .showSuggestionAfterError()
    .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage));
  ring3
    .command('run')
    .argument('<config>', 'the configuration file (YAML)')
    .description('attach the drivers of a configuration and serve its exports until Ctrl-C or SIGTERM')
    .addOption(isolationOption())
    .action(async (config: string, options) => (await import('./commands/run.ts')).run(config, common(ring3, options)));
  ring3
    .command('demo')
    .description('run the demo rig: a simulated disk controller, served over NBD')
    .option('--image <file>', 'serve this disk image instead of the demo disk')
    .addOption(isolationOption())
    .action(async (options) => (await import('./commands/demo.ts')).demo(common(ring3, options)));
  ring3
    .command('check')
    .argument('<config...>', 'configuration files')
    .description('say everything that is wrong with a configuration, without touching a device')
    .action(async (configs: string[]) => (await import('./commands/check.ts')).check(configs));
  ring3
    .command('schema')
    .description('print the JSON Schema of the configuration file, for editors')
    .action(async () => (await import('./commands/schema.ts')).schema());
  ring3
    .command('devices')
    .argument('[config]', 'a configuration file, to show its devices')
    .option('--json', 'for programs')
    .description('list devices and which driver fits')
    .action(async (config: string | undefined, options) =>
      (await import('./commands/devices.ts')).devices(config, options),
    );
  ring3
    .command('doctor')
    .argument('[config]', 'a configuration file, to look at its devices')
    .option('--udev', 'print the udev rules for the devices of the configuration')
    .option('--json', 'for programs')
    .description('say what this machine lacks, why that matters and what mends it')
    .action(async (config: string | undefined, options) =>
      (await import('./commands/doctor.ts')).doctor(config, options),
    );
  ring3
    .command('claims')
    .option('--all', 'also what no ring3 process has claimed')
    .option('--json', 'for programs')
    .description('show which process holds which addresses, among those that the kernel knows')
    .action(async (options) => (await import('./commands/claims.ts')).claims(options));
  addAccessCommands(ring3);
  for (const role of ['device-host', 'front'] as const) {
    ring3
      .command(role, { hidden: true })
      .argument('<name>')
      .action(async (name: string) => (await import('./commands/child.ts')).child(role, name, ring3.opts()));
  }
  return ring3
    .addOption(new Option('--log-format <format>', 'how log lines look').choices(['text', 'journal', 'json']))
    .addOption(
      new Option('--log-level <level>', 'the least important level to show')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    );
}

function isolationOption(): Option {
  return new Option('--isolation <kind>', 'overrides `isolation:` of the configuration').choices(['inline', 'process']);
}

function common<T extends object>(ring3: Command, options: T): T & CommonOptions {
  return { ...ring3.opts<CommonOptions>(), ...options };
}
