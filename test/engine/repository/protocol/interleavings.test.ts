import { afterAll, describe, expect, it } from 'vitest'
import { explore, runAtRandom } from '../../../model/scheduler.ts'
import { protocolScenarios } from '../../../model/scenarios.ts'

/** Printed, so that a failure can be had again: HOLDFAST_SEED=… */
const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1_000_000_000)
const randomRuns = 25
const lines: string[] = []

afterAll(() => { console.log(`interleavings explored (random runs from seed ${seed}):\n${lines.join('\n')}`) })

describe('the protocol loses nothing, whatever the order of requests', () => {
  for (const scenario of protocolScenarios) {
    it(scenario.name, { timeout: 120_000 }, async () => {
      const { violation, ...counts } = await explore(scenario, { limitStates: scenario.small ? 6000 : 500, soloEvery: scenario.small ? 5 : 2 })
      expect(violation?.message).toBeUndefined()
      let requests = 0
      const fine = { ...scenario, fine: true }
      for (let run = 0; run < randomRuns; run++) requests += await runAtRandom(run % 2 === 0 ? scenario : fine, seed + run)
      lines.push(`  ${scenario.name}: ${counts.states} states, ${counts.executions} interleavings${counts.complete ? ' (all)' : ''}, ${counts.soloChecks} times everybody died; ${randomRuns} random runs of ${requests} requests`)
      expect(requests).toBeGreaterThan(randomRuns)
    })
  }
})
