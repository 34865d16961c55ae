import { describe, expect, it } from 'vitest'
import { Violation, findAtRandom, runSchedule } from '../../../model/scheduler.ts'
import { explore } from '../../../model/search.ts'
import { mutantScenarios, mutantSchedules, namedSchedules } from '../../../model/scenarios.ts'

describe('a broken rule is found out', () => {
  for (const scenario of mutantScenarios) {
    it(`${scenario.rule}: ${scenario.name}`, { timeout: 60_000 }, async () => {
      const { violation } = await findAtRandom(scenario, 1, 200)
      const found = violation ?? (await explore(scenario, { limitStates: 3000 })).violation
      expect(found?.message).toMatch(scenario.finds)
    })
  }

  for (const { scenario, steps, rule } of mutantSchedules) {
    it(`${rule}: ${scenario.name}`, async () => {
      await expect(runSchedule(scenario, steps)).rejects.toThrow(/S1/)
    })
  }

  it('covers every rule', () => {
    const rules = new Set([...mutantScenarios, ...mutantSchedules].map(({ rule }) => rule))
    expect([...rules].sort()).toEqual(['R1', 'R10', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7', 'R8', 'R9'])
  })
})

describe('schedules that broke other protocols do no harm', () => {
  for (const { scenario, steps } of namedSchedules) {
    it(scenario.name, async () => {
      expect((await runSchedule(scenario, steps)).length).toBeGreaterThan(10)
    })
  }

  it('a violation tells its schedule', async () => {
    const [mutant] = mutantSchedules
    const error: unknown = mutant && await runSchedule(mutant.scenario, mutant.steps).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Violation)
    expect(error instanceof Violation ? error.schedule.at(-1) : '').toMatch(/^H remove packs\//)
  })
})
