import { describe, expect, it } from 'vitest'
import { exploreAll } from '../../../model/abstract/explore.ts'
import { indexMergeSystem } from '../../../model/abstract/index-merge.ts'
import { brokenScenarios, quickScenarios } from '../../../model/abstract/scenarios.ts'
import { brokenRevisionScenarios, quickRevisionScenarios, revisionSystem } from '../../../model/abstract/revisions.ts'
import { brokenRemovals, syncRemovalSystem } from '../../../model/abstract/sync-removal.ts'
import { repositorySystem } from '../../../model/abstract/system.ts'

/** Take half a million states to be found: `npm run model`. */
const slow = /^(X1b|X6) /
/** Their controls have 200,000 states and more: `npm run model` explores them. */
const slowControls = /^(N12|X2) /

describe('the protocol as a model loses nothing, in every interleaving', () => {
  for (const scenario of quickScenarios) {
    it(scenario.name, () => {
      const { violation, complete, states } = exploreAll(repositorySystem(scenario))
      expect(violation).toBeUndefined()
      expect(complete).toBe(true)
      expect(states).toBeGreaterThan(400)
    })
  }

  for (const scenario of quickRevisionScenarios) {
    it(scenario.name, { timeout: 60_000 }, () => {
      const { violation, complete, states } = exploreAll(revisionSystem(scenario))
      expect(violation).toBeUndefined()
      expect(complete).toBe(true)
      expect(states).toBeGreaterThan(400)
    })
  }

  it('I0 consolidation of the index', () => {
    expect(exploreAll(indexMergeSystem())).toMatchObject({ violation: undefined, complete: true, states: 1863 })
  })

  it('Y3 two syncs that remove what vanished, a backup and retention at the source, retention at the destination', () => {
    expect(exploreAll(syncRemovalSystem())).toMatchObject({ violation: undefined, complete: true, states: 7152 })
  })
})

describe('the model loses data when a rule is broken, and does not when it is kept', () => {
  for (const { breaks, ...scenario } of brokenScenarios.filter(({ name }) => !slow.test(name))) {
    it(scenario.name, { timeout: 60_000 }, () => {
      const broken = exploreAll(repositorySystem({ ...scenario, breaks }), { trace: true })
      expect(broken.violation).toMatch(/^S1/)
      expect(broken.trace.length).toBeGreaterThan(3)
      if (slowControls.test(scenario.name)) return
      expect(exploreAll(repositorySystem(scenario))).toMatchObject({ violation: undefined, complete: true })
    })
  }

  for (const broken of ['I1 lists packs before the index', 'I2 removes its inputs first'] as const) {
    it(broken, () => {
      expect(exploreAll(indexMergeSystem(broken)).violation).toMatch(/^index/)
    })
  }

  for (const broken of brokenRemovals) {
    it(broken, () => {
      const { violation, trace } = exploreAll(syncRemovalSystem(broken), { trace: true })
      expect(violation).toMatch(/^Z[134]: /)
      expect(trace.length).toBeGreaterThan(3)
    })
  }
})

describe('a machine’s memory of revisions fails when a part of rule R11 is broken', () => {
  for (const scenario of brokenRevisionScenarios) {
    it(scenario.breaks, () => {
      const { violation, trace } = exploreAll(revisionSystem(scenario), { trace: true })
      expect(violation?.slice(0, 2)).toBe(`${scenario.finds}:`)
      expect(trace.length).toBeGreaterThan(3)
    })
  }
})
