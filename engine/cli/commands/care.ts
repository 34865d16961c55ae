import type { Command } from 'commander'
import { HoldfastError } from '../../base/errors.ts'
import { careLines } from '../care-text.ts'
import { runToEnding } from '../execute.ts'
import { addKeepOptions, policyOf, type KeepOptions } from '../keep-options.ts'
import { despiteUnusualHelp } from '../held-text.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { parseMinutes, parseSize } from '../values.ts'

interface CareOptions extends CommonOptions, KeepOptions {
  readonly budgetBytes?: number
  readonly budgetMinutes?: number
  readonly despiteUnusual?: true
}

export function addCare(program: Command, builder: ProgramBuilder): void {
  const command = builder.command('care', 'look after the repository: forget by policy, prune, check, drill, read packs back, within a daily budget', [
    'care',
    'care --job home --keep-daily 14 --keep-monthly 12',
    'care --budget-bytes 2G --budget-minutes 20',
  ])
  addKeepOptions(command)
  command.option('--budget-bytes <size>', 'bytes over the network a day (default: 4G; 256M for a storage that is far)', parseSize)
  command.option('--budget-minutes <minutes>', 'minutes a day (default: 30)', parseMinutes)
  command.option('--despite-unusual', despiteUnusualHelp)
  command.addHelpText('after', `
Run it as often as you like, say every hour: what is not due is left out. Snapshots are forgotten where --keep-… says what to keep. A prune is due a day
after something was forgotten, else once a week; the structure of all snapshots is checked, and a restore
drill of up to 64M is held, once a week. What is left of the day's budget goes into reading
packs back, those first that were not read for the longest time, each once a month at most. What was begun is brought to its end; what goes beyond is taken from the next days.
While an unusual backup is not acknowledged (see acknowledge), nothing as old is forgotten and nothing pruned; the rest goes on.
It waits for nobody and may be stopped at any time. Exit code 1: nothing was due.`)
  command.action(async (options: CareOptions) => {
    await builder.run(options, ({ settings, context }) => {
      const policy = policyOf(options)
      if (policy === undefined && (options.job !== undefined || options.allHosts)) throw new HoldfastError('arguments', 'Say with --keep-… what of the job is to be kept.')
      const { job, allHosts, budgetBytes, budgetMinutes } = options
      const retention = policy === undefined ? [] : [{ policy, ...(job === undefined ? {} : { name: job }), ...(allHosts ? { allHosts } : {}) }]
      return runToEnding(
        {
          ...settings, type: 'care', retention,
          ...(budgetBytes === undefined ? {} : { budgetBytes }),
          ...(budgetMinutes === undefined ? {} : { budgetMs: budgetMinutes }),
          ...(options.despiteUnusual ? { despiteUnusual: true } : {}),
        },
        context,
        careLines,
      )
    })
  })
  program.addCommand(command)
}
