import { describe, expect, it } from 'vitest'
import { movedBetweenPages, oldIndex, pagedScenarios } from '../../../model/listing-scenarios.ts'
import { readsByItsOldIndex } from '../../../model/mutants.ts'
import { findAtRandom, runAtRandom, runSchedule } from '../../../model/scheduler.ts'
import { explore } from '../../../model/search.ts'

/** Printed with a failure's schedule; another one with every run. */
const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1_000_000_000)

describe('T9: a restore beside a prune that repacks', () => {
  it('finds its packs gone, learns the index anew and reads everything', async () => {
    const schedule = await runSchedule(oldIndex(), [['R', 'get index/'], ['G', ''], ['R', '']])
    expect(schedule.filter((line) => line.startsWith('R list index/'))).toHaveLength(2)
  })

  it('reads everything in every order of requests', { timeout: 60_000 }, async () => {
    expect((await explore(oldIndex(), { limitStates: 800 })).violation?.message).toBeUndefined()
    expect((await findAtRandom(oldIndex(), seed, 30)).violation?.message).toBeUndefined()
  })

  it('fails where it cannot learn the index anew', async () => {
    await expect(runSchedule(oldIndex(readsByItsOldIndex), [['R', 'get index/'], ['G', ''], ['R', '']])).rejects.toThrow(/R failed/)
  })
})

describe('T11: changes between the pages of listings', () => {
  for (const scenario of pagedScenarios) {
    it(`${scenario.name} (seed ${seed})`, { timeout: 60_000 }, async () => {
      expect((await explore(scenario, { limitStates: 250, soloEvery: 4 })).violation?.message).toBeUndefined()
      for (let run = 0; run < 15; run++) expect(await runAtRandom(scenario, seed + run)).toBeGreaterThan(0)
    })
  }

  it(movedBetweenPages.scenario.name, async () => {
    const schedule = await runSchedule(movedBetweenPages.scenario, movedBetweenPages.steps)
    const copied = schedule.findIndex((line) => line.startsWith('H put packs/'))
    expect(schedule.slice(0, copied).filter((line) => line === 'G list packs/')).toHaveLength(2)
  })
})
