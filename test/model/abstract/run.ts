import { parseArgs } from 'node:util'
import { exploreAll } from './explore.ts'
import { brokenScenarios, largeScenarios, quickScenarios } from './scenarios.ts'
import { repositorySystem } from './system.ts'
import type { AbstractScenario } from './world.ts'

const usage = `npm run model -- [--only NAME] [--seconds 120] [--trace]
Explores every interleaving of the protocol's model: worlds that follow it, and worlds that break one rule each (and what they lose).
--only     worlds whose names begin so
--seconds  limit for each
--trace    shows the requests that lead to a loss`

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, seconds: { type: 'string', default: '120' }, trace: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
})

/** @returns whether a world that should lose nothing, or something, did not. */
function show(scenario: AbstractScenario): boolean {
  const { violation, complete, states, transitions, aftermaths, seconds, trace } = exploreAll(repositorySystem(scenario), { seconds: Number(values.seconds), trace: values.trace })
  const result = violation ?? (complete ? 'nothing lost' : 'nothing lost, NOT complete')
  console.log(`${scenario.name}: ${result}; ${states} states, ${transitions} transitions, ${aftermaths} stores in which everybody died, ${seconds.toFixed(1)} s`)
  for (const [index, step] of trace.entries()) console.log(`  ${index + 1}. ${step}`)
  return (violation === undefined) === (scenario.breaks === undefined)
}

function main(): void {
  if (values.help) return console.log(usage)
  const controls = brokenScenarios.map(({ breaks: _breaks, name, ...scenario }) => ({ ...scenario, name: `${name} (kept)` }))
  const chosen = [...brokenScenarios, ...controls, ...quickScenarios, ...largeScenarios].filter(({ name }) => name.startsWith(values.only))
  const wrong = chosen.filter((scenario) => !show(scenario))
  process.exitCode = wrong.length === 0 && chosen.length > 0 ? 0 : 1
}

main()
