import { parseArgs } from 'node:util'
import { findAtRandom, type Scenario } from '../scheduler.ts'
import { explore } from '../search.ts'
import { brokenSyncs, syncScenarios } from '../sync-scenarios.ts'
import { exploreAll } from './explore.ts'
import type { System } from './explore.ts'
import { brokenRevisionScenarios, largeRevisionScenarios, quickRevisionScenarios, revisionSystem } from './revisions.ts'
import { brokenScenarios, largeScenarios, quickScenarios } from './scenarios.ts'
import { brokenRemovals, syncRemovalSystem } from './sync-removal.ts'
import { repositorySystem } from './system.ts'

const usage = `npm run model -- [--only NAME] [--seconds 120] [--trace]
Explores every interleaving of the protocol's model: worlds that follow it, and worlds that break one rule each (and what they lose).
Syncs (Y) are the code itself under the scheduler.
--only     worlds whose names begin so
--seconds  limit for each
--trace    shows the requests that lead to a loss`

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, seconds: { type: 'string', default: '120' }, trace: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
})

interface Named {
  readonly name: string
  readonly breaks?: string
}

/** @returns whether a world in which nothing should go wrong, or something, did otherwise. */
function show<State>(scenario: Named, system: System<State>): boolean {
  const { violation, complete, states, transitions, aftermaths, seconds, trace } = exploreAll(system, { seconds: Number(values.seconds), trace: values.trace })
  const result = violation ?? (complete ? 'nothing lost' : 'nothing lost, NOT complete')
  console.log(`${scenario.name}: ${result}; ${states} states, ${transitions} transitions, ${aftermaths} stores in which everybody died, ${seconds.toFixed(1)} s`)
  for (const [index, step] of trace.entries()) console.log(`  ${index + 1}. ${step}`)
  return (violation === undefined) === (scenario.breaks === undefined)
}

/** The same for worlds of the code. */
async function showSync(scenario: Scenario): Promise<boolean> {
  const started = performance.now()
  const { violation, complete, states, transitions, soloChecks } = await explore(scenario, { limitMs: Number(values.seconds) * 1000, soloEvery: 5 })
  const result = violation ? (violation.message.split('\n')[0] ?? '') : complete ? 'nothing lost' : 'nothing lost, NOT complete'
  console.log(`${scenario.name}: ${result}; ${states} states, ${transitions} transitions, ${soloChecks} stores in which everybody died, ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return violation === undefined
}

async function showBrokenSync(scenario: (typeof brokenSyncs)[number]): Promise<boolean> {
  const { violation, runs } = await findAtRandom(scenario, 1, 2000)
  const lines = (violation?.message ?? 'nothing found').split('\n')
  console.log(`${scenario.name}: ${lines[0] ?? ''}; ${runs} random runs`)
  if (values.trace) console.log(lines.slice(1).join('\n'))
  return scenario.finds.test(lines[0] ?? '')
}

async function main(): Promise<void> {
  if (values.help) {
    console.log(usage)
    return
  }
  const controls = brokenScenarios.map(({ breaks: _breaks, name, ...scenario }) => ({ ...scenario, name: `${name} (kept)` }))
  const isChosen = ({ name }: Named): boolean => name.startsWith(values.only)
  const right = [
    ...[...brokenScenarios, ...controls, ...quickScenarios, ...largeScenarios].filter(isChosen).map((scenario) => show(scenario, repositorySystem(scenario))),
    ...[...brokenRevisionScenarios, ...quickRevisionScenarios, ...largeRevisionScenarios].filter(isChosen).map((scenario) => show(scenario, revisionSystem(scenario))),
  ]
  const removals = [...brokenRemovals.map((breaks) => ({ name: breaks, breaks })), { name: 'Y3 two syncs that remove what vanished, backup and retention' }]
  for (const scenario of removals.filter(isChosen)) right.push(show(scenario, syncRemovalSystem('breaks' in scenario ? scenario.breaks : undefined)))
  for (const scenario of brokenSyncs.filter(isChosen)) right.push(await showBrokenSync(scenario))
  for (const scenario of syncScenarios.filter(isChosen)) right.push(await showSync(scenario))
  process.exitCode = right.length > 0 && right.every(Boolean) ? 0 : 1
}

await main()
