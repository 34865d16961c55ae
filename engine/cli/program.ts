import { Command, Option } from 'commander'
import { version } from '../base/version.ts'
import { providers } from '../protocol/providers/registry.ts'
import { addAcknowledge } from './commands/acknowledge.ts'
import { addAccounts } from './commands/accounts.ts'
import { addBackup } from './commands/backup.ts'
import { addBrowsing } from './commands/browse.ts'
import { addCare } from './commands/care.ts'
import { addCheck } from './commands/check.ts'
import { addDestinations } from './commands/destinations.ts'
import { addDrill } from './commands/drill.ts'
import { addFind } from './commands/find.ts'
import { addInit } from './commands/init.ts'
import { addKey } from './commands/key.ts'
import { addKit } from './commands/kit.ts'
import { addMachines } from './commands/machines.ts'
import { addRebuild } from './commands/rebuild.ts'
import { addRestore } from './commands/restore.ts'
import { addRetention } from './commands/retention.ts'
import { addServe } from './commands/serve.ts'
import { addStatus } from './commands/status.ts'
import { addSync } from './commands/sync.ts'
import { variableLines } from './destination-text.ts'
import { createOutput, execute, executePlain } from './execute.ts'
import type { Asking, Ending, Invocation, PlainInvocation } from './execute.ts'
import { exitCodes } from './exit-codes.ts'
import type { StandardOutput } from './output.ts'
import type { CommonOptions, PlainOptions } from './settings.ts'
import { parseConcurrency, parseMinutes, parseSize } from './values.ts'

/** What a command's file needs to add itself. */
export interface ProgramBuilder {
  /** A new command with the common options and examples; `description` is one line. */
  command(usage: string, description: string, examples: readonly string[]): Command
  /** The same for one that is about no repository. */
  plainCommand(name: string, description: string, examples: readonly string[]): Command
  group(name: string, description: string): Command
  /** Tells what needs no repository. */
  tell(options: Pick<CommonOptions, 'json'>, json: Readonly<Record<string, unknown>>, text: readonly string[]): void
  /** Runs the action of a command to its end. */
  run(options: CommonOptions & Asking, action: (invocation: Invocation) => Promise<Ending>): Promise<void>
  runPlain(options: PlainOptions, action: (invocation: PlainInvocation) => Promise<Ending>): Promise<void>
}

/** The whole command line. `done` gets the exit code of the command that ran. Errors of usage are thrown as CommanderError. */
export function buildProgram(out: StandardOutput, json: boolean, done: (exitCode: number) => void): Command {
  const program = prepare(new Command('holdfast'), json)
    .description('Encrypted, deduplicating backup that you can check and restore from at any time.')
    .version(version, '-V, --version', 'print the version')
    .addHelpText('after', `\n${environmentHelp}`)
  const builder: ProgramBuilder = {
    command: (usage, description, examples) => {
      const command = prepare(new Command(usage.split(' ', 1)[0]), json).description(description)
      for (const argument of usage.split(' ').slice(1)) command.argument(argument)
      return withExamples(withCommonOptions(command), examples)
    },
    plainCommand: (name, description, examples) => withExamples(withOutputOptions(prepare(new Command(name), json).description(description)), examples),
    group: (name, description) => prepare(new Command(name), json).description(description),
    tell: (options, told, text) => {
      createOutput(options, out).summary(told, text)
      done(exitCodes.success)
    },
    run: async (options, action) => {
      done(await execute(options, createOutput(options, out), action))
    },
    runPlain: async (options, action) => {
      done(await executePlain(createOutput(options, out), action))
    },
  }
  for (const add of [addInit, addBackup, addBrowsing, addFind, addRestore, addServe, addCheck, addRetention, addCare, addDrill, addAcknowledge, addSync, addKey, addKit, addMachines, addRebuild, addStatus, addDestinations, addAccounts]) add(program, builder)
  return program
}

function prepare(command: Command, json: boolean): Command {
  command.exitOverride().showHelpAfterError('Add --help for how to use it.').helpOption('-h, --help', 'show this help')
  return json ? command.configureOutput({ writeErr: () => undefined }) : command
}

function withExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ holdfast ${example}`).join('\n')}`)
}

function withOutputOptions(command: Command): Command {
  return command
    .option('--json', 'one JSON event a line; the last is the summary or the error')
    .option('-v, --verbose', 'show every log line')
}

function withCommonOptions(command: Command): Command {
  return withOutputOptions(command)
    .option('-r, --repo <address>', 'folder (~ is yours), file:///folder or an address as in "holdfast destinations" (or HOLDFAST_REPO)')
    .option('--password-file <file>', 'file whose first line is the password, - for standard input (or HOLDFAST_PASSWORD, or a prompt)')
    .option('--recovery-key-file <file>', 'instead of a password: file with the words of a recovery kit, - for standard input')
    .option('--concurrency <number>', 'transfers at a time (default: 4; the storage may allow fewer)', parseConcurrency)
    .option('--limit-upload <rate>', 'bytes a second, e.g. 500K or 5M', parseSize)
    .option('--limit-download <rate>', 'bytes a second, e.g. 500K or 5M', parseSize)
    .option('--accept-older-repository', 'go on although snapshots are gone that this machine has seen: what is there counts as the newest')
    .option('--accept-other-repository', 'go on although another repository is at the address than before')
    .addOption(new Option('--patience <minutes>', 'how long to wait for a storage that is away (default: 15)').argParser(parseMinutes))
}

const environmentHelp = `Environment:
  HOLDFAST_REPO       address of the repository
  HOLDFAST_PASSWORD   its password
  HOLDFAST_HOME       folder of catalogs, packs in the making and logs, for this user alone
                      (default: the platform's folder for application data)
${variableLines(providers).map((line) => `  ${line}\n`).join('')}  Each of these is taken by commands with such an address alone, and passed on to no other program.
  HOLDFAST_DROPBOX_APP_KEY, HOLDFAST_GOOGLE_APP_KEY, HOLDFAST_MICROSOFT_APP_KEY, HOLDFAST_BOX_APP_KEY
                      your own app's key to sign in with; Google and Box also want …_APP_SECRET

Paths and addresses:
  A relative path is below the current folder; ~ and ~/… are your own home folder, in quotes too.
  "holdfast destinations" shows how the address of each kind of storage is written.
  What looks like the address of an unknown storage (foo:…, host:/…, C:\\…) is refused rather than
  made a folder. A folder whose name looks so is given as ./a:b or file:///folder/a:b.

Passwords:
  The first line of a password file counts, in UTF-8 or UTF-16, without its line end; blanks count.
  The words of a recovery kit do wherever a password is asked for, as they are typed.
  A file that everybody can change is refused. <(pass show backup) does as a file, too.

Exit codes: 0 success · 1 nothing had changed · 2 warnings · 50 stored some, not finished · 100 error · 200 wrong arguments`
