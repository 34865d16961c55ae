import type { Command } from 'commander'
import { HoldfastError } from '../../base/errors.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Ending, Invocation } from '../execute.ts'
import { formatTime } from '../format.ts'
import type { ProgramBuilder } from '../program.ts'
import { promptHidden } from '../prompt.ts'
import type { CommonOptions } from '../settings.ts'
import { typedFile } from '../typed.ts'
import { parseText } from '../values.ts'

/** `kit create` and `kit verify`. */
export function addKit(program: Command, builder: ProgramBuilder): void {
  const group = builder.group('kit', 'make and try a recovery kit: a page that opens the repository when all else is lost')
  const create = builder
    .command('create', 'add a recovery key and write the page that bears it', ['kit create --out recovery-kit.html'])
    .requiredOption('--out <file>', 'the page, one file of HTML to print; must not be there yet', parseText)
  create.addHelpText('after', `
The page holds address and number of the repository and twelve words that open it, as text and as a code to scan. Any command takes the words where it
asks for the password, or from --recovery-key-file. Print the page, keep it somewhere else, and remove the file: who has it and can reach the storage
can read every backup. "holdfast key remove" takes its key away again.`)
  create.action(async (options: CommonOptions & { readonly out: string }) => {
    await builder.run(options, (invocation) => createKit(invocation, typedFile('--out', options.out), options))
  })
  group.addCommand(create)
  const verify = builder.command('verify', 'try the words of a recovery kit', ['kit verify', 'kit verify --recovery-key-file words.txt'])
  verify.action(async (options: CommonOptions) => {
    await builder.run({ ...options, asksForWords: true }, verifyKit)
  })
  group.addCommand(verify)
  program.addCommand(group)
}

async function createKit({ settings, context }: Invocation, file: string, { json }: CommonOptions): Promise<Ending> {
  const kit = await import('../../commands/kit.ts')
  const { repositoryId, key, words } = await kit.createKit(settings, file, context)
  const verified = json !== true && process.stdin.isTTY && process.stderr.isTTY ? await askBack(words) : undefined
  const text = [
    `recovery kit written to ${file}`,
    `Print it and keep it somewhere else, then remove the file. Its key is ${key}.`,
    ...(verified === undefined ? [] : [verified ? 'The words that you typed are right.' : 'The words were not typed as they stand on the page. Look at it again, and try it with `holdfast kit verify`.']),
  ]
  const told = { operation: 'kit-create', outcome: 'success', file, key, repositoryId, ...(verified === undefined ? {} : { verified }) }
  return { exitCode: verified === false ? exitCodes.warnings : exitCodes.success, json: told, text }
}

/** Who types some of the words has the page in front of him. Ctrl-C at a question means no. */
async function askBack(words: string): Promise<boolean> {
  const { isWordAt, wordsToAsk } = await import('../../protocol/recovery-words.ts')
  try {
    for (const position of wordsToAsk()) if (!isWordAt(words, position, await promptHidden(`Word ${position} on the page: `))) return false
    return true
  } catch {
    return false
  }
}

async function verifyKit({ settings, context }: Invocation): Promise<Ending> {
  const { readRecoveryWords, recoveryProblem } = await import('../../protocol/recovery-words.ts')
  const read = readRecoveryWords(context.secrets.password)
  if (!read.ok) throw new HoldfastError('arguments', recoveryProblem(read))
  const { listKeysOf } = await import('../../commands/key.ts')
  const key = (await listKeysOf(settings, context)).find(({ current }) => current)
  const made = key?.createdMs === undefined ? '' : ` of ${formatTime(key.createdMs)}`
  return { exitCode: exitCodes.success, json: { operation: 'kit-verify', outcome: 'success', key: key?.name }, text: [`The words are right: they open the repository, by the key ${key?.name ?? ''}${made}.`] }
}
