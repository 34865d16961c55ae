import { parseArgs } from 'node:util'
import { exploreAll } from './explore.ts'
import type { System } from './explore.ts'
import { brokenRevisionScenarios, largeRevisionScenarios, quickRevisionScenarios, revisionSystem } from './revisions.ts'
import { brokenScenarios, largeScenarios, quickScenarios } from './scenarios.ts'
import { repositorySystem } from './system.ts'

const usage = `npm run model -- [--only NAME] [--seconds 120] [--trace]
Explores every interleaving of the protocol's model: worlds that follow it, and worlds that break one rule each (and what they lose).
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

function main(): void {
  if (values.help) return console.log(usage)
  const controls = brokenScenarios.map(({ breaks: _breaks, name, ...scenario }) => ({ ...scenario, name: `${name} (kept)` }))
  const isChosen = ({ name }: Named): boolean => name.startsWith(values.only)
  const right = [
    ...[...brokenScenarios, ...controls, ...quickScenarios, ...largeScenarios].filter(isChosen).map((scenario) => show(scenario, repositorySystem(scenario))),
    ...[...brokenRevisionScenarios, ...quickRevisionScenarios, ...largeRevisionScenarios].filter(isChosen).map((scenario) => show(scenario, revisionSystem(scenario))),
  ]
  process.exitCode = right.length > 0 && right.every(Boolean) ? 0 : 1
}

main()
