import { afterAll, describe, expect, it } from 'vitest'
import { findAtRandom, runAtRandom, runSchedule } from '../../../model/scheduler.ts'
import { explore } from '../../../model/search.ts'
import { brokenSyncs, syncScenarios, syncSchedules } from '../../../model/sync-scenarios.ts'

/** Printed, so that a failure can be had again: HOLDFAST_SEED=… */
const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1_000_000_000)
const randomRuns = 12
const lines: string[] = []

afterAll(() => { console.log(`syncs explored (random runs from seed ${seed}):\n${lines.join('\n')}`) })

describe('a sync brings what stands, whole or not at all, and takes nothing away that stands', () => {
  for (const scenario of syncScenarios) {
    it(scenario.name, { timeout: 120_000 }, async () => {
      const { violation, ...counts } = await explore(scenario, { limitStates: 200, soloEvery: 3 })
      expect(violation?.message).toBeUndefined()
      let requests = 0
      for (let run = 0; run < randomRuns; run++) requests += await runAtRandom({ ...scenario, fine: run % 2 === 1 }, seed + run)
      lines.push(`  ${scenario.name}: ${counts.states} states, ${counts.executions} interleavings${counts.complete ? ' (all)' : ''}; ${randomRuns} random runs of ${requests} requests`)
      expect(requests).toBeGreaterThan(randomRuns)
    })
  }

  for (const { scenario, steps } of syncSchedules) {
    it(scenario.name, async () => {
      expect((await runSchedule(scenario, steps)).length).toBeGreaterThan(10)
    })
  }
})

describe('a broken sync is found out', () => {
  for (const scenario of brokenSyncs) {
    it(scenario.name, { timeout: 120_000 }, async () => {
      if (scenario.steps) await expect(runSchedule(scenario, scenario.steps)).rejects.toThrow(scenario.finds)
      else expect((await findAtRandom(scenario, 1, 300)).violation?.message).toMatch(scenario.finds)
    })
  }
})
