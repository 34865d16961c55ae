import { afterAll, describe, expect, it } from 'vitest'
import { runAtRandom } from '../../../model/scheduler.ts'
import { explore } from '../../../model/search.ts'
import { protocolScenarios, tinyScenarios } from '../../../model/scenarios.ts'

/** Printed, so that a failure can be had again: HOLDFAST_SEED=… */
const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1_000_000_000)
const randomRuns = 25
const lines: string[] = []

afterAll(() => { console.log(`interleavings explored (random runs from seed ${seed}):\n${lines.join('\n')}`) })

describe('the protocol loses nothing, whatever the order of requests', () => {
  for (const scenario of protocolScenarios) {
    it(scenario.name, { timeout: 120_000 }, async () => {
      const { violation, ...counts } = await explore(scenario, { limitStates: scenario.small ? 8000 : 500, soloEvery: scenario.small ? 10 : 2 })
      expect(violation?.message).toBeUndefined()
      let requests = 0
      const fine = { ...scenario, fine: true }
      for (let run = 0; run < randomRuns; run++) requests += await runAtRandom(run % 2 === 0 ? scenario : fine, seed + run)
      lines.push(`  ${scenario.name}: ${counts.states} states, ${counts.executions} interleavings${counts.complete ? ' (all)' : ''}, ${counts.soloChecks} times everybody died; ${randomRuns} random runs of ${requests} requests`)
      expect(requests).toBeGreaterThan(randomRuns)
    })
  }
})

describe('orders that are left out', () => {
  for (const scenario of tinyScenarios) {
    it(`${scenario.name}: no state is left out with them`, { timeout: 60_000 }, async () => {
      const every = await explore(scenario, { everyOrder: true })
      const some = await explore(scenario, {})
      expect({ ...every, violation: every.violation?.message }).toMatchObject({ complete: true, violation: undefined })
      expect(some).toMatchObject({ complete: true, states: every.states })
      expect(some.executions).toBeLessThan(every.executions)
    })
  }
})
